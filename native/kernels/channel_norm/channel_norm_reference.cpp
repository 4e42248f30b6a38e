// The plain loops that the vectorised columns and the CUDA kernels are checked against; they also serve the shortest items.
#include <cmath>

#include "channel_norm/channel_norm_raw.h"

namespace valetts {

void channel_norm_columns(int64_t channels, int64_t time, int64_t begin, int64_t end, const float* x_CT,
                          const float* gamma_C, const float* beta_C, const float* mask_T, float* y_CT, float* mean_T,
                          float* scale_T) {
  for (int64_t t = begin; t < end; ++t) {
    double sum = 0.0, squares = 0.0;
    for (int64_t c = 0; c < channels; ++c) sum += x_CT[c * time + t];
    const double mean = sum / static_cast<double>(channels);
    for (int64_t c = 0; c < channels; ++c) {
      const double centred = x_CT[c * time + t] - mean;
      squares += centred * centred;
    }
    const double scale = 1.0 / std::sqrt(squares / static_cast<double>(channels) + kChannelNormEpsilon);
    const double kept = mask_T == nullptr ? 1.0 : mask_T[t];
    for (int64_t c = 0; c < channels; ++c) {
      y_CT[c * time + t] = static_cast<float>(((x_CT[c * time + t] - mean) * scale * gamma_C[c] + beta_C[c]) * kept);
    }
    mean_T[t] = static_cast<float>(mean);
    scale_T[t] = static_cast<float>(scale);
  }
}

void channel_norm_backward_columns(int64_t channels, int64_t time, int64_t begin, int64_t end, const float* x_CT,
                                   const float* gamma_C, const float* mask_T, const float* mean_T, const float* scale_T,
                                   const float* grad_CT, float* grad_x_CT, float* grad_gamma_C, float* grad_beta_C) {
  for (int64_t t = begin; t < end; ++t) {
    const double mean = mean_T[t], scale = scale_T[t];
    const double kept = mask_T == nullptr ? 1.0 : mask_T[t];
    double sum = 0.0, product = 0.0;
    for (int64_t c = 0; c < channels; ++c) {
      const double normal = (x_CT[c * time + t] - mean) * scale;
      const double grad = grad_CT[c * time + t] * kept;
      sum += grad * gamma_C[c];
      product += grad * gamma_C[c] * normal;
      grad_gamma_C[c] += static_cast<float>(grad * normal);
      grad_beta_C[c] += static_cast<float>(grad);
    }
    sum /= static_cast<double>(channels);
    product /= static_cast<double>(channels);
    for (int64_t c = 0; c < channels; ++c) {
      const double normal = (x_CT[c * time + t] - mean) * scale;
      const double grad = grad_CT[c * time + t] * kept;
      grad_x_CT[c * time + t] = static_cast<float>(scale * (grad * gamma_C[c] - sum - normal * product));
    }
  }
}

}  // namespace valetts
