// A one-dimensional convolution that keeps the length, with fewer multiplications than its definition asks for.
//   y[o,t] = bias[o] + sum_{i,k} weight[o,i,k] x[i, t + k dilation - padding],  x zero beyond its ends
// Minimal filtering F(m, r): m outputs of an r-tap filter from m + r - 1 products of transformed inputs and transformed taps.
//   taps  form                   points                                                products an output
//   2     F(3, 2)                0, +-1, infinity                                      1.33
//   3     F(4, 3)                0, +-1, +-2, infinity                                 1.5
//   4     F(4, 4)                +-1, +-2, +-1/2, infinity                             1.75
//   5-8   F(3, 2) of F(4, 4)     those of both                                         2.33
//   9-12  F(4, 3) of F(4, 4)     those of both                                         2.63
// Long filters are chunks of four taps: a filter over tiles of four samples, whose products are convolutions of four taps.
// A dilated filter is `dilation` filters over samples that lie that far apart.
// Source: Winograd, Arithmetic Complexity of Computations (SIAM 1980); Lavin and Gray (arXiv:1509.09308); nesting: Agarwal and
// Cooley, New Algorithms for Digital Convolution (IEEE ASSP 1977).
//
// float32 on the CPU, channels innermost; AVX2 with FMA or AVX-512, elsewhere plain loops. Without gradient. Values differ from
// the definition's by rounding, 1e-5 of the largest at most; one that is infinite or no number spoils its whole tile group (up
// to 16 samples a dilation apart beside its own reach). Neither the number of threads nor the batch changes a bit.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>

#include "winograd/winograd_raw.h"

namespace valetts {

// What the passes over input and output do besides; see WinogradFusion in winograd_raw.h.
struct WinogradPasses {
  double input_slope = 1.0;
  at::Tensor residual_BTC;
  at::Tensor sum_BTC;
  double scale = 1.0;
  double output_slope = 1.0;
};

class WinogradConv {
 public:
  // Whether such a filter is served: 2 to 12 taps, and no more padding than they reach.
  static bool serves(int64_t kernel, int64_t dilation, int64_t padding);

  // weight_OIK [O, I, K], bias_O [O] or undefined: transformed once; later changes are not seen.
  // Errors: INVALID_ARGUMENT for what is not served, other types than float32, shapes that do not belong together.
  WinogradConv(const at::Tensor& weight_OIK, const at::Tensor& bias_O, int64_t dilation, int64_t padding,
               WinogradVectors vectors = winograd_vectors());

  // x_BTC [B, T, I] -> y_BTC [B, T, O], which may be the residual or the sum of `passes` but not x_BTC.
  // Errors: INVALID_ARGUMENT for tensors that are not contiguous float32 of these sizes on the CPU; slopes outside [0, 1].
  void into(at::Tensor& y_BTC, const at::Tensor& x_BTC, const WinogradPasses& passes = {}) const;
  at::Tensor operator()(const at::Tensor& x_BTC, const WinogradPasses& passes = {}) const;

  // The same on raw pointers, unchecked, for callers that work on pieces of a signal; see winograd_raw.h.
  void run(const WinogradSpan& span, const float* x_BTC, const WinogradFusion& fusion, float* y_BTC) const;

  int64_t out() const { return out_; }
  // Samples on either side that one depends on.
  int64_t reach() const { return std::max(padding_, (kernel_ - 1) * dilation_ - padding_); }

 private:
  int64_t in_, out_, kernel_, dilation_, padding_;
  WinogradVectors vectors_;
  at::Tensor weights_;  // transformed, or as they were for plain loops
  at::Tensor bias_O_;
};

}  // namespace valetts
