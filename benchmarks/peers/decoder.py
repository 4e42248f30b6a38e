"""The HiFi-GAN decoder of the published size on the CPU: ours against the public reference's in PyTorch eager.

usage: decoder.py --reference CHECKOUT --ours VALETTS_PEER_KERNELS [--threads 2] [--seconds 2.5] [--repeats 3] [--rounds 3]

Weights and latent follow a formula; weight normalisation is removed from the reference's. Equal audio comes first, then
both take turns. Prints a row of a Markdown table.
"""
import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time

import torch

import reference as peer

RATE_HZ, HOP, CHANNELS = 22050, 256, 192


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * 4
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.contiguous().numpy().tobytes())


def weights(decoder):
    """Directions and biases from one seed, gains that keep the loudness of each layer's output near its input's."""
    generator = torch.Generator().manual_seed(3)
    state = {}
    for name, value in decoder.state_dict().items():
        if name.endswith("weight_g"):
            state[name] = torch.full_like(value, 0.9)
        elif name.endswith("bias"):
            state[name] = 0.01 * torch.randn(value.shape, generator=generator)
        else:
            fan_in = value[0].numel()
            state[name] = torch.randn(value.shape, generator=generator) / fan_in**0.5
    return state


def main():
    parser = argparse.ArgumentParser()
    for name, default in (("reference", None), ("ours", None)):
        parser.add_argument("--" + name, default=default)
    for name, default in (("threads", 2), ("repeats", 3), ("rounds", 3)):
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--seconds", type=float, default=2.5)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    reference = peer.Reference(given.reference)
    decoder = reference.models.Generator(CHANNELS, "1", [3, 7, 11], [[1, 3, 5]] * 3, [8, 8, 2, 2], 512, [16, 16, 4, 4])
    state = weights(decoder)
    decoder.load_state_dict(state)
    sys.stdout, shown = open(os.devnull, "w"), sys.stdout
    decoder.remove_weight_norm()
    sys.stdout = shown
    decoder.eval()
    frames = -(-int(given.seconds * RATE_HZ) // HOP)
    latent = torch.randn(1, CHANNELS, frames, generator=torch.Generator().manual_seed(4))
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        file = lambda name: os.path.join(folder, name)
        write_safetensors(file("weights.safetensors"), {"dec." + name: value for name, value in state.items()})
        latent.numpy().tofile(file("latent.f32"))

        def ours(repeats, *further):
            printed = subprocess.run([given.ours, "decoder", "--weights", file("weights.safetensors"), "--latent", file("latent.f32"),
                                      "--frames", str(frames), "--threads", str(given.threads), "--repeats", str(repeats), *further],
                                     check=True, capture_output=True, text=True).stdout
            return json.loads(printed) if printed else None

        def theirs(repeats):
            millis = []
            for _ in range(repeats + 1):
                began = time.perf_counter()
                decoder(latent)
                millis.append((time.perf_counter() - began) * 1e3)
            return sorted(millis[1:])

        ours(0, "--audio", file("audio.f32"))
        audio = torch.from_file(file("audio.f32"), size=frames * HOP)
        expected = decoder(latent).flatten()
        error = ((audio - expected).abs().max() / expected.abs().max()).item()
        if not error <= 1e-4 or expected.abs().max() < 1e-2:
            sys.exit(f"the audio differs by {error:.2g} of its peak {expected.abs().max():.2g}; nothing was timed")
        mine, other = [], []
        for _ in range(given.rounds):
            mine.append(ours(given.repeats))
            other.append(theirs(given.repeats))
        best = min(run["bestMs"] for run in mine), min(run[0] for run in other)
        middle = (sorted(run["medianMs"] for run in mine)[len(mine) // 2], sorted(run[len(run) // 2] for run in other)[len(other) // 2])
        seconds = frames * HOP / RATE_HZ
        print(f"| {seconds:.2f} s | {given.threads} | {middle[0]:.0f} (best {best[0]:.0f}) | {middle[1]:.0f} (best {best[1]:.0f}) "
              f"| {middle[0] / 1e3 / seconds:.3f} | {middle[1] / 1e3 / seconds:.3f} | {middle[1] / middle[0]:.2f} "
              f"(of the best {best[1] / best[0]:.2f}) | {error:.1e} |")


main()
