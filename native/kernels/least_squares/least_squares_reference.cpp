// The plain loops: the CPU path, and what the CUDA kernels are checked against. Logits are few.
#include "least_squares/least_squares_raw.h"

namespace valetts {

double squared_distance(const float* x, int64_t count, float target) {
  double sum = 0.0;
  for (int64_t i = 0; i < count; ++i) {
    const double difference = static_cast<double>(target) - x[i];
    sum += difference * difference;
  }
  return sum / static_cast<double>(count);
}

void squared_distance_backward(const float* x, int64_t count, float target, float grad, float* to) {
  const float factor = 2.0f * grad / static_cast<float>(count);
  for (int64_t i = 0; i < count; ++i) to[i] = (x[i] - target) * factor;
}

}  // namespace valetts
