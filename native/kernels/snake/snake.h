// The anti-aliased periodic activation of BigVGAN: twice the rate, Snake-beta, back to the rate.
//   u = up(x),  v = u + sin^2(a u) / (b + 1e-9),  y = down(v),  a = exp(alpha), b = exp(beta)
// Both filters are a 12-tap Kaiser-windowed sinc of cutoff 1/4 and half width 0.3 of the doubled rate; beyond the ends the
// outermost value goes on.
// Source: BigVGAN (arXiv:2206.04658), sections 3.2 and 3.3; Snake: Liu et al. (arXiv:2006.08195).
//
// One pass forward and one backward serve contiguous float32 on the CPU, and on CUDA where gpu_path() says so; the rest and a
// PlainPathScope take libtorch's operations. A row's result depends on no other row and on no number of threads.
#pragma once

#include <ATen/core/Tensor.h>

namespace valetts {

// x_BCT [B, C, T];  alpha_C, beta_C [C], logarithms of the frequency and of the inverse magnitude
// Returns y_BCT. Differentiable once, in all three.
// Errors: INVALID_ARGUMENT for shapes that do not belong together.
at::Tensor anti_aliased_snake(const at::Tensor& x_BCT, const at::Tensor& alpha_C, const at::Tensor& beta_C);

// Samples on either side that an activated sample depends on.
inline constexpr int64_t kSnakeReach = 6;

}  // namespace valetts
