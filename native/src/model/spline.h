// Monotone rational-quadratic spline with linear tails (Durkan et al. 2019, arXiv:1906.04032).
#pragma once

#include <ATen/ATen.h>

#include <utility>

namespace valetts {

// Transforms x elementwise inside [-tail_bound, tail_bound]; outside it is the identity.
//   x [...]; widths, heights [..., bins] unnormalised; derivatives [..., bins-1] unnormalised
// Returns the transformed values and log |dy/dx|, both shaped like x. Every draw of `inverse` undoes the forward one.
std::pair<at::Tensor, at::Tensor> rational_quadratic_spline(const at::Tensor& x, const at::Tensor& widths,
                                                            const at::Tensor& heights, const at::Tensor& derivatives,
                                                            bool inverse, double tail_bound);

}  // namespace valetts
