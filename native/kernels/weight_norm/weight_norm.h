// The weight normalisation of all of a network's convolutions at once, forward and backward.
//   w = g v / |v|, the norm over all dimensions but the first
// Source: Salimans and Kingma (arXiv:1602.07868), section 2.
//
// One pass over all tensors serves contiguous float32 on the CPU, and on CUDA, a launch for every 48 tensors each way, where
// gpu_path() says so; everything else takes libtorch's operation for each tensor. Norms are float32 sums whatever the
// convolutions run in, made in an order that does not depend on the number of threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace valetts {

// v[i] [rows, ...] and g[i] [rows, 1, ...], as many as there are weights; all of one type on one device.
// Returns the weights, shaped like v. A row of zeros gives NaN. Differentiable once, in v and g.
// Errors: INVALID_ARGUMENT for lists or shapes that do not belong together.
std::vector<at::Tensor> weight_norms(const std::vector<at::Tensor>& v, const std::vector<at::Tensor>& g);

}  // namespace valetts
