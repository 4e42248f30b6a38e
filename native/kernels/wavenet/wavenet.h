// The elementwise work between a WaveNet's convolutions, in one pass each, with analytic gradients.
//   gate      y = tanh(a[:, :H] + c[:, :H]) sigmoid(a[:, H:] + c[:, H:])
//   residual  x' = (x + r[:, :H]) mask,  skip' = skip + r[:, H:]
// Source: WaveNet (arXiv:1609.03499), section 2.3; WaveGlow (arXiv:1811.00002), section 2.2.
//
// One pass serves float32 on the CPU, and on CUDA where gpu_path() says so; float64, half precision, other layouts and a
// PlainPathScope take libtorch's operations. An item's result does not depend on the others or on the number of threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>

namespace valetts {

// a_BGT        [B, G = 2H, T];  condition_BG1 [B, G, 1], the same over time, or undefined
// Returns y_BHT. Differentiable once, in both.
// Errors: INVALID_ARGUMENT if G is odd or the condition has another shape.
at::Tensor wavenet_gate(const at::Tensor& a_BGT, const at::Tensor& condition_BG1);

// x_BHT [B, H, T];  r_BGT [B, 2H, T];  mask_B1T [B, 1, T], without gradient;  skip_BHT [B, H, T], undefined for 0
// Returns {x'_BHT, skip'_BHT}. Differentiable once, in x, r and skip.
// Errors: INVALID_ARGUMENT for shapes that do not belong together.
std::pair<at::Tensor, at::Tensor> wavenet_residual(const at::Tensor& x_BHT, const at::Tensor& r_BGT,
                                                   const at::Tensor& mask_B1T, const at::Tensor& skip_BHT);

}  // namespace valetts
