"""Holds the native include layers: who may include whom.

Usage: check_layers.py <folder native>. Exit status 1 with one line for each offence. Python's standard library only.
"""

import pathlib
import re
import sys

# layer: the layers it may include, besides itself. api -> parity -> train, infer -> model, loss -> kernels, dsp -> core.
ALLOWED = {
    "core": set(),
    "interop": {"core"},
    "dsp": {"core"},
    "kernels": {"core"},
    "model": {"kernels", "dsp", "core"},
    "loss": {"kernels", "dsp", "core"},
    "train": {"model", "loss", "kernels", "dsp", "interop", "core"},
    "infer": {"model", "loss", "kernels", "dsp", "interop", "core"},
    "parity": {"train", "infer", "model", "loss", "kernels", "dsp", "interop", "core"},
    "api": {"parity", "train", "infer", "model", "loss", "kernels", "dsp", "interop", "core"},
}
SUFFIXES = {".h", ".c", ".cpp", ".cu", ".cuh"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
TORCH = re.compile(r"^(ATen|torch|c10|caffe2)/")


def blank_comments(text):
    return COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def layer_of(relative):
    parts = relative.parts
    if parts[0] == "kernels":
        return "kernels"
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    return None


def offences_of(root, path):
    relative = path.relative_to(root)
    text = path.read_text(encoding="utf-8")
    code = blank_comments(text)
    layer = layer_of(relative)
    public = relative.parts[0] == "include"
    if layer is not None and layer not in ALLOWED:
        yield 1, f"unknown layer '{layer}': add it to check_layers.py"
        return
    kernel_folders = {folder.name for folder in (root / "kernels").iterdir() if folder.is_dir()}
    for found in INCLUDE.finditer(code):
        bracket, target = found.group(1), found.group(2)
        line = line_of(code, found.start())
        if public and (TORCH.match(target) or bracket == '"'):
            yield line, f"the border includes '{target}': it must stand alone and name no torch"
        if target == "torch/torch.h":
            yield line, "torch/torch.h costs 24 s a file: include the ATen and autograd headers that are needed"
        if path.suffix in {".cu", ".cuh"} and TORCH.match(target):
            yield line, f"a .cu file includes '{target}': kernels see raw pointers and a stream"
        if layer is None or bracket != '"':
            continue
        first = target.split("/")[0]
        if first == "valetts":
            if layer != "api":
                yield line, f"'{layer}' includes the border's header; only 'api' may"
            continue
        target_layer = "kernels" if first in kernel_folders else first
        if "/" not in target or target.startswith("."):
            yield line, f"include '{target}' from the source root ({layer}/...), not relative to the file"
        elif target_layer != layer and target_layer not in ALLOWED[layer]:
            yield line, f"'{layer}' may not include '{target}'"
    if public:
        found = re.search(r"\b(at|torch|c10)::|\bTensor\b", code)
        if found:
            yield line_of(code, found.start()), "the border names a torch type"
    if path.suffix != ".cu" and "<<<" in code:
        yield line_of(code, code.index("<<<")), "a kernel launch outside a .cu file"
    if layer is not None and layer != "api" and re.search(r'extern\s+"C"', code) and path.suffix != ".c":
        yield 1, 'extern "C" outside api'


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    files = [path for folder in ("include", "src", "kernels") for path in sorted((root / folder).rglob("*"))
             if path.suffix in SUFFIXES]
    offences = [f"{path.relative_to(root)}:{line}: {what}" for path in files for line, what in offences_of(root, path)]
    print("\n".join(offences + [f"{len(files)} files, {len(offences)} offences"]))
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
