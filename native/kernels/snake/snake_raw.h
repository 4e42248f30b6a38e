// The anti-aliased activation on raw pointers. Formulas and shapes are in snake.h.
#pragma once

#include <cstdint>

namespace valetts {

constexpr int kSnakeTaps = 12;

struct SnakeFilter {
  float taps[kSnakeTaps];
};

// The filter of both directions; its taps add up to 1.
SnakeFilter snake_filter();

// One row of `time` values on the CPU; alpha and beta are logarithms. The plain loops, in double.
void snake_row(const float* x_T, float alpha, float beta, int64_t time, float* y_T);
// From the gradient of y, that of x, and the row's share of those of alpha and beta.
void snake_backward_row(const float* x_T, float alpha, float beta, const float* grad_T, int64_t time, float* grad_x_T,
                        float* grad_alpha, float* grad_beta);

// Floats of working space that a row takes.
int64_t snake_work_size(int64_t time);
// The same in float32, vectorised. `work` holds snake_work_size(time).
void snake_row_fast(const SnakeFilter& filter, const float* x_T, float alpha, float beta, int64_t time, float* y_T,
                    float* work);
void snake_backward_row_fast(const SnakeFilter& filter, const float* x_T, float alpha, float beta, const float* grad_T,
                             int64_t time, float* grad_x_T, float* grad_alpha, float* grad_beta, float* work);

struct SnakeShape {
  int64_t batch;
  int64_t channels;
  int64_t time;
};

// On a CUDA device; every pointer is device memory, every tensor contiguous. Each returns null, or what is wrong. `stream` is
// a cudaStream_t. grad_alpha_BC and grad_beta_BC hold each row's share.
const char* snake_cuda(const SnakeFilter& filter, const SnakeShape& shape, const float* x_BCT, const float* alpha_C,
                       const float* beta_C, float* y_BCT, void* stream);
const char* snake_backward_cuda(const SnakeFilter& filter, const SnakeShape& shape, const float* x_BCT, const float* alpha_C,
                                const float* beta_C, const float* grad_BCT, float* grad_x_BCT, float* grad_alpha_BC,
                                float* grad_beta_BC, void* stream);

}  // namespace valetts
