// Layer normalisation over the channels of [B, C, T], without transposes, with its analytic gradient.
//   y[b, c, t] = ((x[b, c, t] - mean) / sqrt(variance + 1e-5) gamma[c] + beta[c]) mask[b, t]
// with mean and variance over the channels of column (b, t). Source: Ba et al. (arXiv:1607.06450), section 3.
//
// One pass serves float32 on the CPU, and on CUDA where gpu_path() says so; float64, half precision and a PlainPathScope take
// libtorch's operations. A column's result does not depend on the others, nothing on the number of threads.
#pragma once

#include <ATen/core/Tensor.h>

namespace valetts {

// x_BCT [B, C, T], C at least 1;  gamma_C, beta_C [C];  mask_B1T [B, 1, T], without gradient, or undefined: 1 everywhere
// Returns y_BCT, contiguous on the one-pass path. Differentiable once, in x, gamma and beta.
// Errors: INVALID_ARGUMENT for shapes that do not belong together.
at::Tensor channel_norm(const at::Tensor& x_BCT, const at::Tensor& gamma_C, const at::Tensor& beta_C,
                        const at::Tensor& mask_B1T);

}  // namespace valetts
