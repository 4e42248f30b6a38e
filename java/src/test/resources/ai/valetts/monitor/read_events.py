"""Prints as JSON what TensorBoard has loaded of a directory: each tag of each kind with its steps and values."""

import json
import sys

from tensorboard.backend.event_processing import event_accumulator, plugin_event_multiplexer
from tensorboard.util import tensor_util

everything = {kind: 0 for kind in ("scalars", "images", "audio", "histograms", "tensors", "compressedHistograms")}
events = event_accumulator.EventAccumulator(sys.argv[1], size_guidance=everything)
events.Reload()
tags = events.Tags()
found = {
    "scalars": {t: [[e.step, e.value] for e in events.Scalars(t)] for t in tags["scalars"]},
    "images": {t: [[e.step, e.width, e.height, e.encoded_image_string[:4].hex()] for e in events.Images(t)] for t in tags["images"]},
    "audio": {
        t: [[e.step, e.sample_rate, e.length_frames, e.content_type, len(e.encoded_audio_string)] for e in events.Audio(t)]
        for t in tags["audio"]
    },
    "histograms": {
        t: [[e.step, e.histogram_value.num, e.histogram_value.min, e.histogram_value.max] for e in events.Histograms(t)]
        for t in tags["histograms"]
    },
    "texts": {
        t: [[e.step, tensor_util.make_ndarray(e.tensor_proto).reshape(-1)[0].decode()] for e in events.Tensors(t)]
        for t in tags["tensors"]
    },
}

# The reader behind TensorBoard's own pages, which turns every value into a tensor.
multiplexer = plugin_event_multiplexer.EventMultiplexer(
    size_guidance={"scalars": 0, "tensors": 0}, tensor_size_guidance={"scalars": 0, "images": 0, "audio": 0, "text": 0, "histograms": 0}
)
multiplexer.AddRun(sys.argv[1], "run")
multiplexer.Reload()
found["pages"] = {
    tag: [[e.step] for e in multiplexer.Tensors("run", tag)]
    for tag in multiplexer.Runs()["run"]["tensors"]
}
print(json.dumps(found))
