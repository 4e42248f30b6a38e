"""Packs a folder of recorded tensors so that it compresses well, and restores it to the bit. Standard library only.

usage: fixtures.py pack FOLDER PACKED
       fixtures.py unpack PACKED FOLDER

A safetensors file becomes a header and its data. Parameters after an optimizer step ("G1/...") are replaced by their
distance, in units of the last place, from what one AdamW step makes of the parameters before ("G0/...") and the gradients
("gradG/..."): nearly always 0, -1 or 1. The prediction only has to be the same on both sides, so it keeps to double
arithmetic that every machine rounds alike. unpack compares the SHA-256 of every file with the one taken when packing.
"""
import array
import hashlib
import json
import os
import shutil
import struct
import sys

SUMS = "SHA256SUMS"
LEARNING_RATE = 2e-4
WEIGHT_DECAY = 0.01
EPSILON = 1e-9


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def split(content, name):
    if len(content) < 8 or 8 + struct.unpack("<Q", content[:8])[0] > len(content):
        raise SystemExit(f"{name} is no whole safetensors file")
    end = 8 + struct.unpack("<Q", content[:8])[0]
    return content[:end], content[end:]


def floats(data, entry):
    begin, end = entry["data_offsets"]
    return array.array("f", data[begin:end])


def ordered(bits):
    """Maps the bits of a float to an integer that grows with it, and back."""
    return bits if bits >= 0 else -0x80000001 - bits


def predictions(header, data):
    """The stepped tensors of a file: where each lies, and the bits it is expected to hold."""
    tensors = json.loads(header[8:])
    for key, entry in tensors.items():
        network, _, name = key.partition("/")
        before = tensors.get(network[:-1] + "0/" + name)
        if not network.endswith("1") or not before or entry["dtype"] != "F32" or before["shape"] != entry["shape"]:
            continue
        expected = [w * (1 - LEARNING_RATE * WEIGHT_DECAY) for w in floats(data, before)]
        gradient = tensors.get("grad" + network[:-1] + "/" + name)
        if gradient:
            if gradient["shape"] != entry["shape"]:
                continue
            expected = [w - LEARNING_RATE * g / (abs(g) + EPSILON) for w, g in zip(expected, floats(data, gradient))]
        else:
            expected = floats(data, before)
        yield entry["data_offsets"], array.array("i", array.array("f", expected).tobytes())


def wrapped(value):
    return (value + 0x80000000) % 0x100000000 - 0x80000000


def to_distances(header, data):
    out = bytearray(data)
    for (begin, end), expected in predictions(header, data):
        found = array.array("i", data[begin:end])
        distances = (wrapped(ordered(f) - ordered(e)) for f, e in zip(found, expected))
        out[begin:end] = array.array("I", ((d << 1 ^ d >> 31) & 0xFFFFFFFF for d in distances)).tobytes()
    return bytes(out)


def from_distances(header, data):
    out = bytearray(data)
    for (begin, end), expected in predictions(header, data):
        distances = ((d >> 1) ^ -(d & 1) for d in array.array("I", data[begin:end]))
        found = (ordered(wrapped(ordered(e) + d)) for d, e in zip(distances, expected))
        out[begin:end] = array.array("i", (wrapped(f) for f in found)).tobytes()
    return bytes(out)


def files_below(folder):
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield os.path.relpath(os.path.join(root, name), folder)


def pack(folder, packed):
    sums = []
    for name in files_below(folder):
        content = read(os.path.join(folder, name))
        sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
        target = os.path.join(packed, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if name.endswith(".safetensors"):
            header, data = split(content, name)
            write(target + ".header", header)
            write(target + ".data", to_distances(header, data))
        else:
            write(target, content)
    write(os.path.join(packed, SUMS), "".join(sums).encode())


def unpack(packed, folder):
    partial = folder + ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    for line in read(os.path.join(packed, SUMS)).decode().splitlines():
        expected, name = line.split("  ", 1)
        source = os.path.join(packed, name)
        if name.endswith(".safetensors"):
            header = read(source + ".header")
            content = header + from_distances(header, read(source + ".data"))
        else:
            content = read(source)
        if hashlib.sha256(content).hexdigest() != expected:
            raise SystemExit(f"{name} is damaged: unpack the archive again")
        target = os.path.join(partial, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        write(target, content)
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(partial, folder)


if len(sys.argv) != 4 or sys.argv[1] not in ("pack", "unpack"):
    raise SystemExit("usage: fixtures.py pack FOLDER PACKED | fixtures.py unpack PACKED FOLDER")
{"pack": pack, "unpack": unpack}[sys.argv[1]](sys.argv[2], sys.argv[3])
