// A convolution's epilogues on raw pointers. Formulas are in epilogue.h.
#pragma once

#include <cstdint>

#include "core/value_type.h"

namespace valetts {

struct EpilogueShape {
  int64_t batch;
  int64_t channels;
  int64_t time;  // all that follows the channels
};

// One row of `time` values on the CPU. keep_T and mask_T may be null; the output may be the last input.
void activation_row(float bias, float slope, const float* keep_T, const float* mask_T, int64_t time, const float* x_T,
                    float* y_T);
// From the gradient of y, that of x: y's sign is the activation's. The output may be grad_T.
void activation_backward_row(float slope, const float* keep_T, const float* mask_T, int64_t time, const float* y_T,
                             const float* grad_T, float* grad_x_T);

// rectified_T may be null.
void residual_row(float slope, const float* keep_T, const float* mask_T, int64_t time, const float* x_T, const float* y_T,
                  float* sum_T, float* rectified_T);
// Either gradient may be null, rectified_T where grad_rectified_T is. grad_x = g; grad_y = g keep mask, and may be null.
void residual_backward_row(float slope, const float* keep_T, const float* mask_T, int64_t time, const float* rectified_T,
                           const float* grad_sum_T, const float* grad_rectified_T, float* grad_x_T, float* grad_y_T);

constexpr int kMostMeanInputs = 8;

// The same place of `count` tensors each.
struct MeanInputs {
  const float* x[kMostMeanInputs];
  const float* y[kMostMeanInputs];
  int count;
};
void mean_row(const MeanInputs& in, float slope, int64_t time, float* rectified_T);
void mean_backward_row(int count, float slope, int64_t time, const float* rectified_T, const float* grad_T, float* to_T);

// The same, vectorised: the same bits.
void activation_row_fast(float bias, float slope, const float* keep_T, const float* mask_T, int64_t time, const float* x_T,
                         float* y_T);
void activation_backward_row_fast(float slope, const float* keep_T, const float* mask_T, int64_t time, const float* y_T,
                                  const float* grad_T, float* grad_x_T);
void residual_row_fast(float slope, const float* keep_T, const float* mask_T, int64_t time, const float* x_T, const float* y_T,
                       float* sum_T, float* rectified_T);
void residual_backward_row_fast(float slope, const float* keep_T, const float* mask_T, int64_t time, const float* rectified_T,
                                const float* grad_sum_T, const float* grad_rectified_T, float* grad_x_T, float* grad_y_T);
void mean_row_fast(const MeanInputs& in, float slope, int64_t time, float* rectified_T);
void mean_backward_row_fast(int count, float slope, int64_t time, const float* rectified_T, const float* grad_T, float* to_T);

// On a CUDA device; every pointer is contiguous device memory of the named type. Each returns null, or what is wrong.
// `stream` is a cudaStream_t.
const char* activation_cuda(const EpilogueShape& shape, ValueType type, const void* x, const float* bias_C, float slope,
                            const float* keep, const float* mask_BT, void* y, void* stream);
const char* activation_backward_cuda(const EpilogueShape& shape, ValueType type, const void* y, float slope,
                                     const float* keep, const float* mask_BT, const void* grad, void* grad_x, void* stream);
// The sum is of x's type and so is the rectified; y may be of another.
const char* residual_cuda(const EpilogueShape& shape, ValueType type_of_x, ValueType type_of_y, const void* x,
                          const void* y, float slope, const float* keep, const float* mask_BT, void* sum, void* rectified,
                          void* stream);
const char* residual_backward_cuda(const EpilogueShape& shape, ValueType type_of_x, ValueType type_of_y,
                                   const void* rectified, float slope, const float* keep, const float* mask_BT,
                                   const void* grad_sum, const void* grad_rectified, void* grad_x, void* grad_y, void* stream);

struct MeanDeviceInputs {
  const void* x[kMostMeanInputs];
  const void* y[kMostMeanInputs];
  int count;
};
const char* mean_cuda(int64_t values, ValueType type, const MeanDeviceInputs& in, float slope, void* rectified,
                      void* stream);
const char* mean_backward_cuda(int64_t values, ValueType type, int count, float slope, const void* rectified,
                               const void* grad, void* to, void* stream);

}  // namespace valetts
