// A one-dimensional convolution that keeps the length, with fewer multiplications than its definition asks for.
//   y[o,t] = bias[o] + sum_{i,k} weight[o,i,k] x[i, t + (k - (K - 1) / 2) dilation],  x zero beyond its ends
// Minimal filtering F(4, r): four outputs of an r-tap filter from 4 + r - 1 products of transformed inputs and transformed
// taps (points 0, +-1, +-2, infinity for r = 3; +-1, +-2, +-1/2, infinity for r = 4). Longer filters are cut into chunks of
// four taps, which make a filter of two or three taps over tiles of four samples, to which F(3, 2) or F(2, 3) applies again
// (points 0, +-1, infinity). Products for each pair of channels and output: 1.5 for 3 taps, 2.33 for 5 to 8, 3.5 for 9 to 12.
// A dilated filter is `dilation` filters over samples that lie that far apart.
// Source: Winograd, Arithmetic Complexity of Computations (SIAM 1980); Lavin and Gray (arXiv:1509.09308); nesting: Agarwal and
// Cooley, New Algorithms for Digital Convolution (IEEE ASSP 1977).
//
// float32 on the CPU, channels innermost; AVX2 with FMA or AVX-512, elsewhere plain loops. Without gradient. Values differ from
// the definition's by rounding, 1e-5 of the largest at most; one that is infinite or no number spoils its whole tile group (up
// to 12 samples a dilation apart beside its own reach). Neither the number of threads nor the batch changes a bit.
#pragma once

#include <ATen/core/Tensor.h>

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
  // Whether such a filter is served: 2 to 12 taps, and as much reach on either side.
  static bool serves(int64_t kernel, int64_t dilation);

  // weight_OIK [O, I, K], bias_O [O] or undefined: transformed once; later changes are not seen.
  // Errors: INVALID_ARGUMENT for what is not served, other types than float32, shapes that do not belong together.
  WinogradConv(const at::Tensor& weight_OIK, const at::Tensor& bias_O, int64_t dilation,
               WinogradVectors vectors = winograd_vectors());

  // x_BTC [B, T, I] -> y_BTC [B, T, O], which may be the residual or the sum of `passes` but not x_BTC.
  // Errors: INVALID_ARGUMENT for tensors that are not contiguous float32 of these sizes on the CPU; slopes outside [0, 1].
  void into(at::Tensor& y_BTC, const at::Tensor& x_BTC, const WinogradPasses& passes = {}) const;
  at::Tensor operator()(const at::Tensor& x_BTC, const WinogradPasses& passes = {}) const;

  // The same on raw pointers, unchecked, for callers that work on pieces of a signal; see winograd_raw.h.
  void run(const WinogradSpan& span, const float* x_BTC, const WinogradFusion& fusion, float* y_BTC) const;

  int64_t reach() const { return (kernel_ - 1) * dilation_ / 2; }

 private:
  int64_t in_, out_, kernel_, dilation_;
  WinogradVectors vectors_;
  at::Tensor weights_;  // transformed, or as they were for plain loops
  at::Tensor bias_O_;
};

}  // namespace valetts
