// Monotone rational-quadratic spline with linear tails, with its log-determinant and analytic gradients.
// Source: Durkan et al. (arXiv:1906.04032), section 3 and appendix A.
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>

namespace valetts {

// The plain form, in libtorch's operations. Transforms x elementwise inside [-tail_bound, tail_bound]; outside it is the
// identity.
//   x [...]; widths, heights [..., bins] unnormalised; derivatives [..., bins-1] unnormalised
// Returns the transformed values and log |dy/dx|, both shaped like x. Every draw of `inverse` undoes the forward one.
std::pair<at::Tensor, at::Tensor> rational_quadratic_spline(const at::Tensor& x, const at::Tensor& widths,
                                                            const at::Tensor& heights, const at::Tensor& derivatives,
                                                            bool inverse, double tail_bound);

// The same over a ragged batch, with the parameters where a convolution leaves them.
//   x_B1T [B, 1, T];  mask_B1T [B, 1, T], without gradient, 0 at padding
//   h_BPT [B, P = 3 bins - 1, T]: a row for each width, height and inner derivative, unnormalised; the widths and heights are
//         multiplied by logit_scale
// Returns the values times the mask [B, 1, T], and the log-determinant [B]: log |dy/dx| times the mask, summed over time.
// One pass forward and one backward serve float32 with 2 to 16 bins on the CPU, and on CUDA where gpu_path() says so; the rest
// and a PlainPathScope take the plain form. An item's results depend on no other item and on no number of threads.
// Differentiable once, in x and h.
// Errors: INVALID_ARGUMENT for shapes that do not belong together.
std::pair<at::Tensor, at::Tensor> masked_spline(const at::Tensor& x_B1T, const at::Tensor& h_BPT, const at::Tensor& mask_B1T,
                                                double logit_scale, bool inverse, double tail_bound);

}  // namespace valetts
