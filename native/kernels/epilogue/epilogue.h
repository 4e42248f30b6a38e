// What follows a convolution, in one pass each way: activation, residual sum, mean of residual blocks.
//   activation   y = act(x + bias) keep mask                    act(v) = v where v > 0, else slope v
//   residual     s = x + y keep mask,   r = act(s)
//   mean         r = act(((x_1 + y_1) + (x_2 + y_2) + ...) / n)
// Source: HiFi-GAN (arXiv:2010.05646), section 2.2 (residual blocks); VITS (arXiv:2106.06103), appendix B.
//
// One pass serves float32 on the CPU; on CUDA, where gpu_path() says so, float32 and half precision, with sums in float32.
// float64 and a PlainPathScope take libtorch's operations. float32 gives the same bits on all paths of the CPU.
//
// Tensors are [B, C, ...], contiguous on the one-pass path. keep has the tensor's shape, mask is [B, 1, ...]; both are without
// gradient and may be undefined: 1. Differentiable once. Errors: INVALID_ARGUMENT for shapes that do not belong together.
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>
#include <vector>

namespace valetts {

// Slope 0 is a rectifier, slope 1 none. Overwrites x, which must be a fresh result that nothing else needs (a convolution's),
// where the types allow. bias_C [C], or undefined. Differentiable in x and bias.
at::Tensor activated(at::Tensor x, const at::Tensor& bias_C, double slope, const at::Tensor& keep = {},
                     const at::Tensor& mask = {});

// {s, r}. Overwrites y, a fresh result that nothing else needs, where the types allow.
std::pair<at::Tensor, at::Tensor> residual_activated(const at::Tensor& x, at::Tensor y, double slope);
// s alone.
at::Tensor residual(const at::Tensor& x, at::Tensor y, const at::Tensor& keep = {}, const at::Tensor& mask = {});

// x and y: as many of one shape and type, at least one and at most kMostBlocks of each. Overwrites y[0].
constexpr size_t kMostBlocks = 8;
at::Tensor mean_activated(const std::vector<at::Tensor>& x, std::vector<at::Tensor> y, double slope);

}  // namespace valetts
