// The plain loops that the vectorised columns and the CUDA kernel are checked against.
#include "spline/spline_element.h"

namespace valetts {

void spline_columns(const SplineOptions& options, int64_t count, const float* x_T, const float* h_PT, int64_t stride,
                    const float* mask_T, float* y_T, float* log_T) {
  for (int64_t t = 0; t < count; ++t) {
    spline::forward<double>(options, x_T[t], h_PT + t, stride, mask_T[t], y_T + t, log_T + t);
  }
}

void spline_backward_columns(const SplineOptions& options, int64_t count, const float* x_T, const float* h_PT, int64_t stride,
                             const float* mask_T, const float* grad_y_T, float grad_log, float* grad_x_T, float* grad_h_PT) {
  for (int64_t t = 0; t < count; ++t) {
    spline::backward<double>(options, x_T[t], h_PT + t, stride, mask_T[t], grad_y_T == nullptr ? 0.0f : grad_y_T[t], grad_log,
                             grad_x_T + t, grad_h_PT + t);
  }
}

}  // namespace valetts
