// The plain loops that the vectorised rows and the CUDA kernels are checked against.
#include <cmath>

#include "weight_norm/weight_norm_raw.h"

namespace valetts {

void weight_norm_row(const float* v, float g, int64_t columns, float* w, float* norm) {
  double squares = 0.0;
  for (int64_t i = 0; i < columns; ++i) squares += static_cast<double>(v[i]) * v[i];
  const double length = std::sqrt(squares);
  for (int64_t i = 0; i < columns; ++i) w[i] = static_cast<float>(v[i] * (g / length));
  *norm = static_cast<float>(length);
}

void weight_norm_backward_row(const float* v, float g, float norm, const float* grad_w, int64_t columns, float* grad_v,
                              float* grad_g) {
  double product = 0.0;
  for (int64_t i = 0; i < columns; ++i) product += static_cast<double>(grad_w[i]) * v[i];
  const double length = norm;
  for (int64_t i = 0; i < columns; ++i) {
    grad_v[i] = static_cast<float>(g / length * (grad_w[i] - v[i] * product / (length * length)));
  }
  *grad_g = static_cast<float>(product / length);
}

}  // namespace valetts
