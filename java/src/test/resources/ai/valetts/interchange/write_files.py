"""Writes files with torch.save for TensorFileTest: write_files.py FOLDER. Values expected go to expected.json."""
import argparse
import collections
import json
import os
import pathlib
import sys

import torch

folder = pathlib.Path(sys.argv[1])
torch.manual_seed(7)

base = torch.randn(6, 8)
tensors = {
    "f32": torch.randn(3, 4),
    "f64": torch.randn(5, dtype=torch.float64),
    "f16": torch.tensor([0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, 6.1e-5, float("inf")], dtype=torch.float16),
    "bf16": torch.randn(7).to(torch.bfloat16),
    "scalar": torch.tensor(3.25),
    "empty": torch.zeros(0, 4),
    "transposed": base.t(),
    "window": base[1:5:2, 2:7],
    "broadcast": torch.tensor([1.5, 2.5]).expand(3, 2),
    "shared_row": base[3],
    "parameter": torch.nn.Parameter(torch.randn(2, 2, 2)),
}
whole_numbers = {
    "i64": torch.arange(3),
    "i32": torch.arange(3, dtype=torch.int32),
    "i16": torch.arange(3, dtype=torch.int16),
    "i8": torch.arange(3, dtype=torch.int8),
    "u8": torch.arange(3, dtype=torch.uint8),
    "bool": torch.tensor([True, False]),
}
expected = {name: t.detach().float().contiguous().flatten().tolist() for name, t in tensors.items()}
json.dump(expected, open(folder / "expected.json", "w"))


def checkpoint():
    return {
        "model": collections.OrderedDict(**tensors, **whole_numbers),
        "iteration": 42,
        "big": 2**80,
        "learning_rate": 2e-4,
        "betas": (0.8, 0.99),
        "names": ["ana", "b\u00e9a"],
        "flags": {"a": True, "b": None, 3: {1, 2}},
    }


for protocol in (2, 3, 4, 5):
    torch.save(checkpoint(), folder / f"protocol{protocol}.pth", pickle_protocol=protocol)

module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.LayerNorm(3))
torch.save({"model": module.state_dict(), "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}}, "iteration": 3}, folder / "module.pth")
torch.save(module.state_dict(), folder / "bare_state.pth")
torch.save(module.state_dict(), folder / "old_format.pth", _use_new_zipfile_serialization=False)
torch.jit.script(module).save(str(folder / "script.pth"))
torch.save([1, 2, 3], folder / "list.pth")
torch.save({"epoch": 3}, folder / "no_tensors.pth")
torch.save(
    {"state_dict": module.state_dict(), "hyper_parameters": {"dataset_dir": pathlib.PosixPath("/data/x"), "n": 2}},
    folder / "paths.ckpt",
)
torch.save({"model": module.state_dict(), "args": argparse.Namespace(lr=1)}, folder / "namespace.pth")


class Attack:
    def __reduce__(self):
        return os.system, ("touch " + str(folder / "the_attack_ran"),)


for protocol in (2, 4):
    torch.save({"model": module.state_dict(), "more": Attack()}, folder / f"attack{protocol}.pth", pickle_protocol=protocol)
