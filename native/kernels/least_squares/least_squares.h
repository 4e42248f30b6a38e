// The adversarial losses of all discriminators in one pass each way: mean squared distances from their targets.
//   parts[i, k] = mean over piece k of logits[i] of (target[k] - x)^2
// where piece k is the k-th of as many equal parts of the batch as there are targets: real and generated audio that went through
// in one batch, or one of them alone. Source: LSGAN (arXiv:1611.04076); HiFi-GAN (arXiv:2010.05646), section 2.4.
//
// One pass serves contiguous float32 on the CPU, and on CUDA, where gpu_path() says so, half precision too, with sums in
// float32; float64 and a PlainPathScope take libtorch's operations. Sums are in an order that does not depend on the number of
// threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace valetts {

// logits: at most kMostLogits tensors of one type, each with a first dimension that `targets` divides; none empty.
// targets: one or two.
// Returns float32 (float64 for float64) [logits, targets]. Differentiable once.
// Errors: INVALID_ARGUMENT for other lists.
constexpr size_t kMostLogits = 32;
at::Tensor least_squares(const std::vector<at::Tensor>& logits, const std::vector<double>& targets);

}  // namespace valetts
