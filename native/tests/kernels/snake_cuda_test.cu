// The GPU's anti-aliased activation against the plain loops, without torch.
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "on_device.cuh"
#include "snake/snake_raw.h"

namespace {

using namespace valetts;

int failures = 0;

std::vector<float> values(int64_t count, uint64_t seed, float scale) {
  std::vector<float> out(static_cast<size_t>(count));
  for (float& value : out) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    value = scale * (static_cast<float>(seed >> 40) / 8388608.0f - 1.0f);
  }
  return out;
}

void compare(const char* what, const SnakeShape& shape, const std::vector<float>& actual, const std::vector<float>& expected,
             double tolerance) {
  double apart = 0.0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(actual[i]) - expected[i]);
    apart = difference <= apart ? apart : difference;  // NaN counts
  }
  if (!(apart <= tolerance)) {
    std::printf("FAILED: %s B=%ld T=%ld: %g apart\n", what, static_cast<long>(shape.batch), static_cast<long>(shape.time),
                apart);
    ++failures;
  }
}

void check(const SnakeShape& shape) {
  const int64_t rows = shape.batch * shape.channels, size = rows * shape.time;
  const std::vector<float> x = values(size, 1, 4.0f), grad = values(size, 2, 2.0f);
  const std::vector<float> alpha = values(shape.channels, 3, 1.0f), beta = values(shape.channels, 4, 1.0f);
  std::vector<float> y(x.size()), grad_x(x.size()), grad_alpha(static_cast<size_t>(rows)), grad_beta(grad_alpha.size());
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = row * shape.time, channel = row % shape.channels;
    snake_row(&x[at], alpha[channel], beta[channel], shape.time, &y[at]);
    snake_backward_row(&x[at], alpha[channel], beta[channel], &grad[at], shape.time, &grad_x[at], &grad_alpha[row],
                       &grad_beta[row]);
  }
  const OnDevice<float> device_x(x), device_grad(grad), device_alpha(alpha), device_beta(beta);
  const OnDevice<float> out(std::vector<float>(x.size(), -7.0f)), out_x(std::vector<float>(x.size(), -7.0f));
  const OnDevice<float> out_alpha(std::vector<float>(grad_alpha.size(), -7.0f)),
      out_beta(std::vector<float>(grad_alpha.size(), -7.0f));
  const char* problems[] = {
      snake_cuda(snake_filter(), shape, device_x.data(), device_alpha.data(), device_beta.data(), out.data(), nullptr),
      snake_backward_cuda(snake_filter(), shape, device_x.data(), device_alpha.data(), device_beta.data(), device_grad.data(),
                          out_x.data(), out_alpha.data(), out_beta.data(), nullptr)};
  CHECK_CUDA(cudaDeviceSynchronize());
  for (const char* problem : problems) {
    if (problem == nullptr) continue;
    std::printf("FAILED: %s\n", problem);
    ++failures;
  }
  compare("values", shape, out.values(), y, 4e-5);
  compare("gradient of x", shape, out_x.values(), grad_x, 1e-4);
  compare("gradient of alpha", shape, out_alpha.values(), grad_alpha, 1e-4 * static_cast<double>(shape.time + 10));
  compare("gradient of beta", shape, out_beta.values(), grad_beta, 1e-4 * static_cast<double>(shape.time + 10));
}

}  // namespace

int main() {
  if (const int status = without_gpu()) return status;
  int points = 0;
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 3, 31, 32, 33, 129, 255, 256, 257, 1134}) {
      check({batch, 5, time});
      ++points;
    }
  }
  std::printf("snake: %d grid points, %d failures\n", points, failures);
  return failures == 0 ? 0 : 1;
}
