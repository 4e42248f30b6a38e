// Weight normalisation on raw pointers. Formula and shapes are in weight_norm.h.
#pragma once

#include <cstdint>

namespace valetts {

// One row of `columns` values on the CPU: the plain loops, with sums in double.
void weight_norm_row(const float* v, float g, int64_t columns, float* w, float* norm);
// From the gradient of w, those of v and g:
//   grad_g = (grad_w . v) / |v|,  grad_v = g / |v| (grad_w - v (grad_w . v) / |v|^2)
void weight_norm_backward_row(const float* v, float g, float norm, const float* grad_w, int64_t columns, float* grad_v,
                              float* grad_g);

// The same in float32, vectorised.
void weight_norm_row_fast(const float* v, float g, int64_t columns, float* w, float* norm);
void weight_norm_backward_row_fast(const float* v, float g, float norm, const float* grad_w, int64_t columns, float* grad_v,
                                   float* grad_g);

// One weight of a list: v, w [rows, columns]; g, norms [rows].
struct WeightNormTensor {
  const float* v;
  const float* g;
  float* w;
  float* norms;
  int64_t rows;
  int64_t columns;
};

// Its gradients.
struct WeightNormGradient {
  const float* v;
  const float* g;
  const float* norms;
  const float* grad_w;
  float* grad_v;
  float* grad_g;
  int64_t rows;
  int64_t columns;
};

// On a CUDA device; the lists are host memory, read before the call returns, and what they point to is contiguous device
// memory. Each returns null, or what is wrong. `stream` is a cudaStream_t.
const char* weight_norm_cuda(const WeightNormTensor* tensors, int64_t count, void* stream);
const char* weight_norm_backward_cuda(const WeightNormGradient* tensors, int64_t count, void* stream);

}  // namespace valetts
