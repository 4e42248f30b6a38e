// The plain loops that the vectorised rows and the CUDA kernels are checked against.
#include <cmath>

#include "wavenet/wavenet_raw.h"

namespace valetts {

namespace {

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

}  // namespace

void wavenet_gate_row(const float* a_T, const float* b_T, float add_a, float add_b, int64_t time, float* y_T) {
  for (int64_t t = 0; t < time; ++t) {
    y_T[t] = static_cast<float>(std::tanh(static_cast<double>(a_T[t] + add_a)) * sigmoid(b_T[t] + add_b));
  }
}

void wavenet_gate_backward_row(const float* a_T, const float* b_T, float add_a, float add_b, const float* grad_T,
                               int64_t time, float* grad_a_T, float* grad_b_T, float* sum_a, float* sum_b) {
  double total_a = 0.0, total_b = 0.0;
  for (int64_t t = 0; t < time; ++t) {
    const double y = std::tanh(static_cast<double>(a_T[t] + add_a));
    const double s = sigmoid(b_T[t] + add_b);
    const double of_a = grad_T[t] * s * (1.0 - y * y);
    const double of_b = grad_T[t] * y * s * (1.0 - s);
    grad_a_T[t] = static_cast<float>(of_a);
    grad_b_T[t] = static_cast<float>(of_b);
    total_a += of_a;
    total_b += of_b;
  }
  *sum_a = static_cast<float>(total_a);
  *sum_b = static_cast<float>(total_b);
}

}  // namespace valetts
