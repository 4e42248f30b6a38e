"""Times training steps of the public reference over batches and weights exported by TrainStepRun.

usage: train_step.py --reference CHECKOUT --export FOLDER [--half fp16|bf16] [--device D] [--threads N] [--warm-up N]
                     [--steps N] [--agree FILE]

--agree takes the line of JSON that our own run printed, takes one step with the same random draws first and ends with
status 1 if the losses differ by more than 1e-4 (2e-2 in half precision), relatively. Prints one line of JSON.
"""
import argparse
import json
import resource
import sys
import time

import torch

import reference as peer

LIMIT, HALF_LIMIT = 1e-4, 2e-2
NORM_LIMIT = 1e-3


def agreement(trainer, batch, export, ours, limit):
    with trainer.drawing(batch, export["seed"], 0):
        losses, norms = trainer.step(batch, 0)
    worst, failed = {}, []
    for kind, found, allowed in (("losses", losses, limit), ("gradientNorms", norms, max(NORM_LIMIT, limit))):
        for name, value in found.items():
            expected = ours[kind][name]
            error = abs(float(value) - expected) / max(abs(expected), 1e-6)
            worst[f"{kind}.{name}"] = error
            if not error <= allowed:
                failed.append(f"{kind}.{name}: the reference has {float(value):.7g}, ours {expected:.7g}, off by {error:.2g} of {allowed}")
    if failed:
        sys.exit("the first step differs, so that times would compare different work:\n  " + "\n  ".join(failed))
    return worst


def main():
    parser = argparse.ArgumentParser()
    for name, default in (("reference", None), ("export", None), ("half", None), ("device", "cpu"), ("agree", None)):
        parser.add_argument("--" + name, default=default)
    for name, default in (("threads", 0), ("warm-up", 3), ("steps", 10)):
        parser.add_argument("--" + name, type=int, default=default)
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    torch.manual_seed(1234)
    torch.backends.cudnn.benchmark = True
    device = torch.device(given.device)
    half = {None: None, "fp16": torch.float16, "bf16": torch.bfloat16}[given.half]
    reference = peer.Reference(given.reference)
    export = peer.read_export(given.export)
    batches = [peer.Batch(export, i, export["audio"], reference, device) for i in range(len(export["batches"]))]
    worst = {}
    if given.agree:
        with open(given.agree) as file:
            ours = json.loads(file.read().strip().splitlines()[-1])
        if export["model"]["durationPredictor"] == "stochastic":
            sys.exit("agreement is checked with model.durationPredictor=deterministic: the reference draws the stochastic one's"
                     " dropout twice")
        worst = agreement(peer.Trainer(reference, export, device, half), batches[0], export, ours, HALF_LIMIT if half else LIMIT)
    trainer = peer.Trainer(reference, export, device, half)

    def finish():
        if device.type == "cuda":
            torch.cuda.synchronize()

    for i in range(given.warm_up):
        trainer.step(batches[i % len(batches)], i)
    finish()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    millis, began = [], time.perf_counter()
    for i in range(given.steps):
        index = given.warm_up + i
        start = time.perf_counter()
        trainer.step(batches[index % len(batches)], index)
        finish()
        millis.append((time.perf_counter() - start) * 1e3)
    wall = time.perf_counter() - began
    out = {"arm": f"reference {given.half or 'fp32'}", "machine": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
           "version": f"{reference.commit()}, torch {torch.__version__}, alignment by {reference.search}",
           "batch": len(batches[0]), "threads": torch.get_num_threads(), "warmUp": given.warm_up, "steps": given.steps,
           "agreement": worst}
    if given.steps:
        ordered = sorted(millis)
        quantile = lambda share: ordered[round(share * (len(ordered) - 1))]
        used = [batches[(given.warm_up + i) % len(batches)] for i in range(given.steps)]
        one_length = len({tuple(b["samples"]) for b in export["batches"]}) == 1
        per_step = quantile(0.5) / 1e3 if one_length else wall / given.steps
        out.update(medianMs=quantile(0.5), p10Ms=quantile(0.1), p90Ms=quantile(0.9), wallMsPerStep=wall * 1e3 / given.steps,
                   stepsPerSecond=1 / per_step, utterancesPerSecond=sum(map(len, used)) / given.steps / per_step,
                   audioPerSecond=sum(b.seconds for b in used) / given.steps / per_step,
                   paddedPerSecond=sum(b.padded_seconds for b in used) / given.steps / per_step)
    if device.type == "cuda":
        out["devicePeakBytes"] = torch.cuda.max_memory_reserved()
    out["processPeakBytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(out))


main()
