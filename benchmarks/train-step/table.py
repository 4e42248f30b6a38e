"""Rows of a Markdown table from lines of JSON that benchmarks/train-step/step.sh and peers print.

usage: table.py heading | table.py rows FILE | table.py ratio OURS REFERENCE

`rows` gives one row for each line. `ratio` takes files of alternating repeats and gives one sentence: the ratio of the
medians of the repeats' medians, how far the repeats lie apart, and the ratio of the fastest steps.
"""
import json
import sys

HEADING = """| arm | device | batch | s | precision | threads | ms a step (p10, p90) | steps/s | utterances/s | audio s/s | padded s/s | peak memory |
| --- | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip()]


def row(measured):
    peak = measured.get("devicePeakBytes") or measured["processPeakBytes"]
    return ("| {arm} | {machine} | {batch} | {seconds} | {precision} | {threads} | {medianMs:.1f} ({p10Ms:.1f}, {p90Ms:.1f}) "
            "| {stepsPerSecond:.3f} | {utterancesPerSecond:.2f} | {audioPerSecond:.2f} | {paddedPerSecond:.2f} | {peak:.0f} MB |"
            ).format(peak=peak / 1e6, **measured)


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def ratio(ours, reference):
    ours, reference = lines(ours), lines(reference)
    medians = [median([line["utterancesPerSecond"] for line in each]) for each in (ours, reference)]
    spread = max((max(line["utterancesPerSecond"] for line in each) - min(line["utterancesPerSecond"] for line in each)) / middle
                 for each, middle in zip((ours, reference), medians))
    # Other work on the machine only adds time: the fastest tenth of any repeat was disturbed least.
    fastest = [min(line["p10Ms"] / line["batch"] for line in each) for each in (ours, reference)]
    return (f"{medians[0] / medians[1]:.2f} x the reference's utterances/s ({medians[0]:.3f} against {medians[1]:.3f}; {len(ours)} repeats "
            f"in turns, apart by at most {spread * 100:.0f} %), {fastest[1] / fastest[0]:.2f} x by the fastest steps of each")


def main(what, *paths):
    if what == "heading":
        print(HEADING)
    elif what == "rows":
        for measured in lines(paths[0]):
            print(row(measured))
    elif what == "ratio":
        print(ratio(*paths))
    else:
        sys.exit(__doc__)


main(*sys.argv[1:])
