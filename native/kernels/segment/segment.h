// The segment of each item that the decoder learns from, cut from latent, mel and samples in one pass; and where it begins.
//   start[b]      = floor(uniform[b] max(1, length[b] - L + 1))            frames
//   z'[b, c, i]   = z[b, c, start + i],  mel'[b, m, i] = mel[b, m, start + i],  samples'[b, n] = samples[b, hop start + n]
// Beyond the end of the tensors z and samples are 0 and mel is that of silence. Source: VITS (arXiv:2106.06103), section 2.4
// (windowed generator training).
//
// One pass serves float32 on the CPU, and on CUDA where gpu_path() says so; float64 and a PlainPathScope take libtorch's
// operations. The same bits on all paths.
#pragma once

#include <ATen/core/Tensor.h>

namespace valetts {

struct Segments {
  at::Tensor starts_B;  // int64, frames
  at::Tensor z_BCL;
  at::Tensor mel_BML;
  at::Tensor samples_B1N;  // N = L hop
};

// z_BCS [B, C, S];  mel_BMS [B, M, S];  samples_B1N [B, 1, any];  silent_mel_M [M];  all of one type, z alone with a gradient
// lengths_B int64, 0 .. S frames;  uniform_B in [0, 1)
// frames: L, at least 1;  hop: samples of a frame
// Differentiable once, in z. Errors: INVALID_ARGUMENT for shapes that do not belong together.
Segments gather_segments(const at::Tensor& z_BCS, const at::Tensor& mel_BMS, const at::Tensor& samples_B1N,
                         const at::Tensor& silent_mel_M, const at::Tensor& lengths_B, const at::Tensor& uniform_B,
                         int64_t frames, int64_t hop);

}  // namespace valetts
