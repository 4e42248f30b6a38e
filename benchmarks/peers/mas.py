"""Monotonic alignment search: ours, the reference's compiled Cython and, where Triton and a GPU are, Super-MAS.

usage: mas.py --reference CHECKOUT --ours VALETTS_PEER_KERNELS [--super-mas CHECKOUT] [--shapes 32x200x800,64x400x1600]
              [--repeats N] [--rounds N]

Identical durations come first; then the kernels alone take turns, one thread each, in their own layouts. Prints rows of a
Markdown table and ends with status 1 if any durations differ.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

import reference as peer


def ours(executable, folder, shape, repeats, durations, device="cpu"):
    batch, symbols, frames = shape
    command = [executable, "mas", "--scores", os.path.join(folder, "scores.f32"), "--batch", str(batch), "--tokens", str(symbols),
               "--frames", str(frames), "--repeats", str(repeats), "--threads", "1", "--device", device]
    if durations:
        command += ["--durations", os.path.join(folder, "durations.i32")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(printed) if printed else None


def theirs(search, scores, shape, repeats):
    batch, symbols, frames = shape
    lengths = np.full(batch, frames, dtype=np.int32), np.full(batch, symbols, dtype=np.int32)
    millis = []
    for _ in range(repeats + 1):
        # It writes into the scores, so each run gets a copy, which is not timed.
        values, paths = scores.copy(), np.zeros(scores.shape, dtype=np.int32)
        began = time.perf_counter()
        search(paths, values, *lengths)
        millis.append((time.perf_counter() - began) * 1e3)
    return paths, sorted(millis[1:])


def super_mas(checkout, executable, folder, shapes, repeats):
    """Its own protocol: layout [B, text, mel], all-ones masks, median of Triton's timer."""
    if not checkout:
        return "Super-MAS: not compared, --super-mas names no checkout"
    try:
        import triton.testing
    except ImportError:
        return "Super-MAS: not compared, this Python has no Triton"
    if not torch.cuda.is_available():
        return "Super-MAS: not compared, there is no GPU"
    sys.path.insert(0, os.path.abspath(checkout))
    import super_monotonic_align
    rows = []
    for shape in shapes + [(16, 512, 2048)]:
        batch, symbols, frames = shape
        value = torch.randn(batch, symbols, frames, generator=torch.Generator().manual_seed(1))
        value.transpose(1, 2).contiguous().numpy().tofile(os.path.join(folder, "scores.f32"))
        mask = torch.ones(batch, symbols, frames, dtype=torch.int32, device="cuda")
        path = super_monotonic_align.maximum_path(value.cuda(), mask)
        measured = ours(executable, folder, shape, repeats, True, "cuda:0")
        durations = np.fromfile(os.path.join(folder, "durations.i32"), dtype=np.int32).reshape(batch, symbols)
        # It sums in another order: a path may differ where two are equally good to rounding, which the score tells.
        found = torch.repeat_interleave(torch.arange(symbols).repeat(batch), torch.from_numpy(durations).reshape(-1)).view(batch, frames)
        our_score = value.gather(1, found.unsqueeze(1)).sum().item()
        their_score = (value * path.cpu()).sum().item()
        if abs(our_score - their_score) > 1e-2 * max(1.0, abs(their_score) / 1e3):
            sys.exit(f"{batch}x{symbols}x{frames}: our path scores {our_score:.6g}, Super-MAS's {their_score:.6g}: nothing was timed")
        device_value = value.cuda()
        median = triton.testing.do_bench(lambda: super_monotonic_align.maximum_path(device_value.clone(), mask), rep=500,
                                         quantiles=[0.5])
        copying = triton.testing.do_bench(lambda: device_value.clone(), rep=500, quantiles=[0.5])
        rows.append(f"| Super-MAS | {batch}x{symbols}x{frames} | {measured['medianMs']:.4f} | {median - copying:.4f} "
                    f"| {(median - copying) / measured['medianMs']:.2f} |")
    return "\n".join(rows)


def main():
    parser = argparse.ArgumentParser()
    for name, default in (("reference", None), ("ours", None), ("super-mas", None), ("shapes", "32x200x800,64x400x1600,32x60x216")):
        parser.add_argument("--" + name, default=default)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    reference = peer.Reference(given.reference)
    if "Cython, -O3" not in reference.search:
        sys.exit(f"the reference's search could not be compiled: {reference.search}")
    from monotonic_align.monotonic_align.core import maximum_path_c
    shapes = [tuple(int(size) for size in text.split("x")) for text in given.shapes.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        for shape in shapes:
            batch, symbols, frames = shape
            scores = torch.randn(batch, frames, symbols, generator=torch.Generator().manual_seed(1)).numpy()
            scores.tofile(os.path.join(folder, "scores.f32"))
            paths, _ = theirs(maximum_path_c, scores, shape, 0)
            ours(given.ours, folder, shape, 0, True)
            durations = np.fromfile(os.path.join(folder, "durations.i32"), dtype=np.int32).reshape(batch, symbols)
            if not np.array_equal(paths.sum(1), durations):
                sys.exit(f"{given.shapes}: durations differ at {shape}; nothing was timed")
            mine, other = [], []
            for _ in range(given.rounds):
                mine.append(ours(given.ours, folder, shape, given.repeats, False))
                other.append(theirs(maximum_path_c, scores, shape, given.repeats)[1])
            best = min(run["bestMs"] for run in mine), min(run[0] for run in other)
            middle = (sorted(run["medianMs"] for run in mine)[len(mine) // 2],
                      sorted(run[len(run) // 2] for run in other)[len(other) // 2])
            print(f"| reference's Cython | {batch}x{symbols}x{frames} | {middle[0]:.3f} (best {best[0]:.3f}) | {middle[1]:.3f} "
                  f"(best {best[1]:.3f}) | {middle[1] / middle[0]:.2f} (of the best {best[1] / best[0]:.2f}) |", flush=True)
        found = super_mas(given.super_mas, given.ours, folder, shapes, given.repeats)
        print(found if found.startswith("|") else "\n" + found)


main()
