// The plain loops that the vectorised rows and the CUDA kernels are checked against: the operations one after the other, each
// rounded to float32 as libtorch's are.
#include "epilogue/epilogue_raw.h"

namespace valetts {
namespace {

float activation(float v, float slope) {
  if (slope == 0.0f) return v < 0.0f ? 0.0f : v;  // NaN stays
  return v > 0.0f ? v : v * slope;
}

float slope_at(float activated, float slope) { return activated > 0.0f ? 1.0f : slope; }

float factor(const float* factors_T, int64_t t) { return factors_T == nullptr ? 1.0f : factors_T[t]; }

}  // namespace

void activation_row(float bias, float slope, const float* keep_T, const float* mask_T, int64_t time, const float* x_T,
                    float* y_T) {
  for (int64_t t = 0; t < time; ++t) {
    y_T[t] = activation(x_T[t] + bias, slope) * factor(keep_T, t) * factor(mask_T, t);
  }
}

void activation_backward_row(float slope, const float* keep_T, const float* mask_T, int64_t time, const float* y_T,
                             const float* grad_T, float* grad_x_T) {
  for (int64_t t = 0; t < time; ++t) {
    grad_x_T[t] = grad_T[t] * factor(mask_T, t) * factor(keep_T, t) * slope_at(y_T[t], slope);
  }
}

void residual_row(float slope, const float* keep_T, const float* mask_T, int64_t time, const float* x_T, const float* y_T,
                  float* sum_T, float* rectified_T) {
  for (int64_t t = 0; t < time; ++t) {
    const float sum = x_T[t] + y_T[t] * factor(keep_T, t) * factor(mask_T, t);
    sum_T[t] = sum;
    if (rectified_T != nullptr) rectified_T[t] = activation(sum, slope);
  }
}

void residual_backward_row(float slope, const float* keep_T, const float* mask_T, int64_t time, const float* rectified_T,
                           const float* grad_sum_T, const float* grad_rectified_T, float* grad_x_T, float* grad_y_T) {
  for (int64_t t = 0; t < time; ++t) {
    float grad = grad_sum_T == nullptr ? 0.0f : grad_sum_T[t];
    if (grad_rectified_T != nullptr) grad += grad_rectified_T[t] * slope_at(rectified_T[t], slope);
    grad_x_T[t] = grad;
    if (grad_y_T != nullptr) grad_y_T[t] = grad * factor(mask_T, t) * factor(keep_T, t);
  }
}

void mean_row(const MeanInputs& in, float slope, int64_t time, float* rectified_T) {
  for (int64_t t = 0; t < time; ++t) {
    float sum = in.x[0][t] + in.y[0][t];
    for (int i = 1; i < in.count; ++i) sum += in.x[i][t] + in.y[i][t];
    rectified_T[t] = activation(sum / static_cast<float>(in.count), slope);
  }
}

void mean_backward_row(int count, float slope, int64_t time, const float* rectified_T, const float* grad_T, float* to_T) {
  for (int64_t t = 0; t < time; ++t) {
    to_T[t] = grad_T[t] * slope_at(rectified_T[t], slope) / static_cast<float>(count);
  }
}

}  // namespace valetts
