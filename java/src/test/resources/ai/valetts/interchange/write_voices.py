"""Writes a fixture's weights as public programs save them: write_voices.py FIXTURE.safetensors FOLDER."""
import collections
import json
import pathlib
import struct
import sys

import torch

fixture, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
raw = fixture.read_bytes()
(header_bytes,) = struct.unpack("<Q", raw[:8])
header = json.loads(raw[8 : 8 + header_bytes])
data = bytearray(raw[8 + header_bytes :])
config = json.loads(header["__metadata__"]["config"])


def network(prefix):
    state = collections.OrderedDict()
    for name, entry in header.items():
        if name.startswith(prefix + "/"):
            begin, end = entry["data_offsets"]
            values = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=begin)
            state[name[len(prefix) + 1 :]] = values.reshape(entry["shape"]).clone()
    return state


def optimizer_state(tensors):
    """What AdamW's state_dict() holds after a step; made by hand, since torch.optim takes long to import."""
    return {
        "state": {
            i: {"step": torch.tensor(1.0), "exp_avg": torch.ones_like(t), "exp_avg_sq": torch.ones_like(t)}
            for i, t in enumerate(tensors)
        },
        "param_groups": [{"lr": 2e-4, "betas": (0.8, 0.99), "foreach": None, "params": list(range(len(tensors)))}],
    }


def save(state, name):
    torch.save(
        {"model": state, "iteration": 7, "optimizer": optimizer_state(list(state.values())), "learning_rate": 2e-4},
        folder / name,
    )


generator, discriminator, durations = network("G0"), network("D0"), network("DUR0")
save(generator, "G_7.pth")
save(discriminator, "D_7.pth")
if durations:
    save(durations, "DUR_7.pth")
torch.save(
    {
        "module."
        + name.replace(".weight_g", ".parametrizations.weight.original0").replace(
            ".weight_v", ".parametrizations.weight.original1"
        ): tensor
        for name, tensor in generator.items()
    },
    folder / "new_spelling.pth",
)
torch.save({"model": collections.OrderedDict((k, v.double()) for k, v in generator.items())}, folder / "double.pth")
missing = collections.OrderedDict(generator)
del missing["dec.conv_pre.bias"]
missing["enc_p.proj.bias"] = torch.zeros(3)
missing["extra.weight"] = torch.zeros(3)
torch.save({"model": missing}, folder / "other.pth")
diverged = collections.OrderedDict(generator)
diverged["dec.conv_pre.bias"] = diverged["dec.conv_pre.bias"] * float("nan")
torch.save({"model": diverged}, folder / "diverged.pth")
state = collections.OrderedDict(("model_g." + k, v) for k, v in generator.items())
state.update(("model_d." + k, v) for k, v in discriminator.items())
state["model_mrd.discriminators.0.convs.0.bias"] = torch.zeros(32)
model, stft = config["model"], config["data"]
torch.save(
    {
        "epoch": 2,
        "global_step": 9,
        "pytorch-lightning_version": "1.7.7",
        "state_dict": state,
        "optimizer_states": [optimizer_state([torch.zeros(2)])],
        "hyper_parameters": {
            "num_symbols": model["n_vocab"],
            "dataset_dir": pathlib.PosixPath("/data/voice"),
            "filter_length": stft["filter_length"],
            "hop_length": stft["hop_length"],
            "win_length": stft["win_length"],
            "mel_channels": stft["n_mel_channels"],
            "sample_rate": stft["sampling_rate"],
            "upsample_rates": tuple(model["upsample_rates"]),
            "resblock_dilation_sizes": tuple(tuple(d) for d in model["resblock_dilation_sizes"]),
            "segment_size": config["train"]["segment_size"],
        },
    },
    folder / "voice.ckpt",
)
symbols = ["_", "^", "$", " ", "."] + [chr(ord("a") + i) for i in range(model["n_vocab"] - 5)]
json.dump(symbols, open(folder / "symbols.json", "w"))
config["data"]["text_cleaners"] = ["basic_cleaners"]
json.dump(config, open(folder / "config.json", "w"))
json.dump(
    {
        "audio": {"sample_rate": stft["sampling_rate"]},
        "espeak": {"voice": "pt-br"},
        "phoneme_type": "text",
        "phoneme_id_map": {symbol: [i] for i, symbol in enumerate(symbols)},
        "speaker_id_map": {"zoe": 0, "ana": 1, "bia": 2} if model["n_speakers"] > 1 else {},
        "inference": {"noise_scale": 0.5, "noise_w": 0.25, "length_scale": 1.25},
        "dataset": "ana",
    },
    open(folder / "voice.json", "w"),
)
