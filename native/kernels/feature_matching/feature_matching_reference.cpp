// The plain loops that the CUDA kernels are checked against.
#include <cmath>

#include "feature_matching/feature_matching_raw.h"

namespace valetts {

double map_distance(const float* generated, const float* real, int64_t count) {
  double sum = 0.0;
  for (int64_t i = 0; i < count; ++i) sum += std::abs(static_cast<double>(generated[i]) - real[i]);
  return sum / static_cast<double>(count);
}

void map_distance_backward(const float* generated, const float* real, int64_t count, float grad, float* to) {
  const float scale = grad / static_cast<float>(count);
  for (int64_t i = 0; i < count; ++i) {
    to[i] = generated[i] > real[i] ? scale : generated[i] < real[i] ? -scale : 0.0f;
  }
}

}  // namespace valetts
