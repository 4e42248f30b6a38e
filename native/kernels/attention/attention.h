// The middle of multi-head self-attention, between its matrix products: relative positions in a window, mask, softmax,
// dropout, in one pass each way.
//   l[t, s] = scale (scores[t, s] + band[t, s - t + w])      band only where |s - t| <= w
//   p[t, .] = softmax over s of (mask[t] mask[s] is not 0 ? l[t, s] : -10000)
//   weights[t, s] = p[t, s] keep[t, s]
//   diagonals[t, j] = weights[t, t + j - w], 0 outside of the square
// A row of padding is 1 / T everywhere, as in the public reference. Source: Vaswani et al. (arXiv:1706.03762), section 3.2.1;
// Shaw et al. (arXiv:1803.02155), section 3.2.
//
// One pass serves float32 on the CPU, and on CUDA where gpu_path() says so; float64 and a PlainPathScope take libtorch's
// operations. A row's result does not depend on the others or on the number of threads.
#pragma once

#include <ATen/core/Tensor.h>

namespace valetts {

struct AttentionWeights {
  at::Tensor weights_BhTT;
  at::Tensor diagonals_BhTW;  // undefined without a window
};

// scores_BhTT  [B, heads, T, T];  band_BhTW [B, heads, T, W = 2 window + 1], undefined without a window
// mask_B1T     [B, 1, T], without gradient;  keep_BThT [B, T heads, T], rows query-major, without gradient, or undefined: 1
// Half precision is widened; the result is float32 then. Differentiable once, in scores and band.
// Errors: INVALID_ARGUMENT for shapes that do not belong together.
AttentionWeights attention_weights(const at::Tensor& scores_BhTT, const at::Tensor& band_BhTW, const at::Tensor& mask_B1T,
                                   const at::Tensor& keep_BThT, double scale, int64_t window);

}  // namespace valetts
