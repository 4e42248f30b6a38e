// The WaveNet's elementwise work on raw pointers. Formulas and shapes are in wavenet.h.
#pragma once

#include <cstdint>

namespace valetts {

// One row of `time` values on the CPU: a and b are the two halves' rows, add_a and add_b their condition.
// The plain loops, with the standard library's functions in double.
void wavenet_gate_row(const float* a_T, const float* b_T, float add_a, float add_b, int64_t time, float* y_T);
// From the gradient of y, those of a and b; sum_a and sum_b, the gradients of the condition, are their sums over time.
void wavenet_gate_backward_row(const float* a_T, const float* b_T, float add_a, float add_b, const float* grad_T,
                               int64_t time, float* grad_a_T, float* grad_b_T, float* sum_a, float* sum_b);

// The same in float32, vectorised: y within 3e-7 of 1, NaN where an input is NaN.
void wavenet_gate_row_fast(const float* a_T, const float* b_T, float add_a, float add_b, int64_t time, float* y_T);
void wavenet_gate_backward_row_fast(const float* a_T, const float* b_T, float add_a, float add_b, const float* grad_T,
                                    int64_t time, float* grad_a_T, float* grad_b_T, float* sum_a, float* sum_b);

// On a CUDA device; every pointer is device memory, every tensor contiguous but the condition, whose items lie
// `condition_stride` apart and which may be null. Each returns null, or what is wrong. `stream` is a cudaStream_t.
struct WavenetShape {
  int64_t batch;
  int64_t hidden;
  int64_t time;
};
const char* wavenet_gate_cuda(const WavenetShape& shape, const float* a_BGT, const float* condition_BG,
                              int64_t condition_stride, float* y_BHT, void* stream);
// grad_condition_BG [B, 2H], contiguous, or null.
const char* wavenet_gate_backward_cuda(const WavenetShape& shape, const float* a_BGT, const float* condition_BG,
                                       int64_t condition_stride, const float* grad_BHT, float* grad_a_BGT,
                                       float* grad_condition_BG, void* stream);
// skip_BHT may be null: 0.
const char* wavenet_residual_cuda(const WavenetShape& shape, const float* x_BHT, const float* r_BGT, const float* mask_BT,
                                  const float* skip_BHT, float* x_next_BHT, float* skip_next_BHT, void* stream);
// Either gradient may be null: 0. grad_x_BHT = grad_x_next mask; grad_r_BGT holds it and grad_skip_next.
const char* wavenet_residual_backward_cuda(const WavenetShape& shape, const float* grad_x_next_BHT,
                                           const float* grad_skip_next_BHT, const float* mask_BT, float* grad_x_BHT,
                                           float* grad_r_BGT, void* stream);

}  // namespace valetts
