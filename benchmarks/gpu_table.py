"""The result of benchmarks/run-all-gpus.sh: what was measured on this GPU, and what the roofline model makes of it elsewhere.

usage: gpu_table.py FOLDER GPU [--rehearsal]     FOLDER holds steps.jsonl and, where measured, launches.txt

The model. One utterance of 5.06 s costs 196 GFLOP and moves at least 660 MB in half precision when everything but the
convolutions and matrix products is fused (twice that in float32). A GPU's limit is the sum over the step's operations of
max(FLOP / peak, bytes / bandwidth), counted operation by operation for the GPUs below; of one that is not there,
0.775 x (GFLOP / peak + bytes / bandwidth), which meets the counted ones within 3 %. A projection multiplies another GPU's
limit by the share of its own limit that this GPU reached: it assumes equal efficiency, which a slower GPU tends to exceed.
"""
import json
import os
import sys

UTTERANCES = 22910 * 200
GFLOP, HALF_MB = 196.0, 660.0
# Datasheet peak in TFLOP/s of the precision that training takes there, bandwidth in GB/s, counted limit in utterances/s.
GPUS = {
    "T4": ("fp16", 65.0, 320.0, 254.0),
    "P100": ("fp32", 9.3, 732.0, 40.0),
    "V100": ("fp16", 125.0, 900.0, 546.0),
    "A100": ("bf16", 312.0, 1555.0, 1224.0),
    "H100": ("bf16", 989.0, 3350.0, 3320.0),
    "L4": ("bf16", 121.0, 300.0, 343.0),
    "H200": ("bf16", 989.0, 4800.0, None),
}
TABLE = ("T4", "P100", "V100", "A100", "H100")


def limit(name):
    precision, peak, bandwidth, counted = GPUS[name]
    if counted:
        return counted
    seconds = 0.775 * (GFLOP / peak / 1e3 + HALF_MB * (2 if precision == "fp32" else 1) / bandwidth / 1e3)
    return 1 / seconds


def known(gpu):
    words = gpu.replace("-", " ").replace("_", " ").split()
    # An L40 is no L4, a T400 no T4.
    return next((name for name in sorted(GPUS, key=len, reverse=True) if name in words), None)


def launches(folder):
    path = os.path.join(folder, "launches.txt")
    if not os.path.exists(path):
        return "not measured", "not measured"
    fields = dict(line.split(None, 1) for line in open(path) if line.strip())
    return tuple(fields.get(name, "not measured").strip() for name in ("launches", "synchronisations"))


def row(name, mark, measured, per_second, share, counts):
    batch, steps, memory = ("", "", "")
    if measured:
        batch, steps = str(measured["batch"]), f"{measured['stepsPerSecond']:.2f}"
        memory = f"{measured['devicePeakBytes'] / 1e9:.1f} GB"
    return (f"| {name} | {mark} | {batch} | {steps} | {per_second:.1f} | {UTTERANCES / per_second / 3600:.1f} | {memory} "
            f"| {counts[0]} | {counts[1]} | {share} |")


def main():
    folder, gpu = sys.argv[1:3]
    rehearsal = "--rehearsal" in sys.argv
    with open(os.path.join(folder, "steps.jsonl")) as file:
        lines = [json.loads(line) for line in file if line.strip()]
    usual = [line for line in lines if line["seconds"] == "5.06" and line["precision"] != "fp32"] or lines
    best = max(usual, key=lambda line: line["utterancesPerSecond"])
    counts = launches(folder)
    name = known(gpu)
    reached = best["utterancesPerSecond"] / limit(name) if name and not rehearsal else None
    print("| GPU | | best batch | steps/s | utterances/s | hours for 200 epochs of 22,910 | peak memory | launches a step "
          "| synchronisations a step | share of the roofline |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    print(row(gpu, "rehearsed on the CPU: no figure of a GPU" if rehearsal else f"measured, {best['precision']}", best,
              best["utterancesPerSecond"], f"{reached * 100:.1f} %" if reached else "no limit is known", counts))
    if rehearsal:
        return
    if reached is None:
        print(f"\nNothing is projected from {gpu}: its peak and bandwidth are not in benchmarks/gpu_table.py.")
        return
    for other in TABLE:
        if other != name:
            print(row(other, f"projected, {GPUS[other][0]}", None, reached * limit(other), f"{reached * 100:.1f} % assumed", ("", "")))
    print(f"\nProjected rows were not measured: each is {reached * 100:.1f} %, the share of its roofline that {gpu} reached, of that GPU's own "
          "limit. " + " ".join(__doc__.split("The model. ")[1].split()))


main()
