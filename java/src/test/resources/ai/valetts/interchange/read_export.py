"""Reads an export with torch alone: read_export.py FILE.safetensors FIXTURE.safetensors. Prints what it compared."""
import json
import struct
import sys

import torch


def load(path):
    raw = open(path, "rb").read()
    (header_bytes,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + header_bytes])
    data = bytearray(raw[8 + header_bytes :])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            flat = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=begin)
            tensors[name] = flat.reshape(entry["shape"])
    return tensors, header["__metadata__"]


exported, metadata = load(sys.argv[1])
recorded = {name[3:]: tensor for name, tensor in load(sys.argv[2])[0].items() if name.startswith("G0/")}
assert set(exported) == set(recorded), set(exported) ^ set(recorded)


class Strict(torch.nn.Module):
    """A module with the reference's parameters, so that load_state_dict is torch's own."""

    def __init__(self):
        super().__init__()
        for name, tensor in recorded.items():
            module, parts = self, name.split(".")
            for part in parts[:-1]:
                if part not in module._modules:
                    module.add_module(part, torch.nn.Module())
                module = module._modules[part]
            module.register_parameter(parts[-1], torch.nn.Parameter(torch.empty_like(tensor)))


module = Strict()
module.load_state_dict(exported, strict=True)
dead = 0
for name, tensor in module.state_dict().items():
    if ".post_transformer." in name:
        assert not tensor.any()
        dead += 1
    else:
        assert torch.equal(tensor.view(torch.int32), recorded[name].view(torch.int32)), name
config = json.loads(metadata["config"])
assert config == json.load(open(sys.argv[1].replace(".safetensors", ".config.json")))
print(json.dumps({"tensors": len(exported), "dead": dead, "transformer_flow_type": config["model"]["transformer_flow_type"]}))
