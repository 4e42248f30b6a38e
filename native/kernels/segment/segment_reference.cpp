// The loops of the CPU path, which the CUDA kernels are checked against: rows are copied in one piece.
#include <algorithm>

#include "segment/segment_raw.h"

namespace valetts {
namespace {

// from[start .. start + count - 1] of `size` values, `beyond` after the end.
void copy_row(const float* from, int64_t size, int64_t start, int64_t count, float beyond, float* to) {
  const int64_t inside = std::clamp<int64_t>(size - start, 0, count);
  if (inside > 0) std::copy(from + start, from + start + inside, to);
  std::fill(to + inside, to + count, beyond);
}

}  // namespace

void segment_item(const SegmentShape& shape, int64_t item, const SegmentInputs& in, const SegmentOutputs& out) {
  const int64_t frames = shape.frames, time = shape.time, channels = shape.channels, bins = shape.mel_bins;
  const int64_t positions = std::max<int64_t>(1, in.lengths_B[item] - (frames - 1));
  const auto start = static_cast<int64_t>(in.uniform_B[item] * static_cast<float>(positions));
  out.starts_B[item] = start;
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t row = item * channels + c;
    copy_row(in.z_BCS + row * time, time, start, frames, 0.0f, out.z_BCL + row * frames);
  }
  for (int64_t m = 0; m < bins; ++m) {
    const int64_t row = item * bins + m;
    copy_row(in.mel_BMS + row * time, time, start, frames, in.silent_mel_M[m], out.mel_BML + row * frames);
  }
  const int64_t wanted = frames * shape.hop;
  copy_row(in.samples_BN + item * shape.samples, shape.samples, start * shape.hop, wanted, 0.0f, out.samples_BN + item * wanted);
}

void segment_backward_item(const SegmentShape& shape, int64_t item, const int64_t* starts_B, const float* grad_BCL,
                           float* grad_z_BCS) {
  const int64_t start = starts_B[item], inside = std::clamp<int64_t>(shape.time - start, 0, shape.frames);
  for (int64_t row = item * shape.channels; row < (item + 1) * shape.channels; ++row) {
    const float* from = grad_BCL + row * shape.frames;
    float* to = grad_z_BCS + row * shape.time;
    std::fill(to, to + std::min(start, shape.time), 0.0f);
    if (inside == 0) continue;
    std::copy(from, from + inside, to + start);
    std::fill(to + start + inside, to + shape.time, 0.0f);
  }
}

}  // namespace valetts
