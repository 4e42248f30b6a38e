// The GPU's WaveNet kernels against the plain loops, without torch.
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "on_device.cuh"
#include "wavenet/wavenet_raw.h"

namespace {

using namespace valetts;

int failures = 0;

std::vector<float> values(int64_t count, uint64_t seed) {
  std::vector<float> out(static_cast<size_t>(count));
  for (float& value : out) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    value = static_cast<float>(seed >> 40) / 2097152.0f - 4.0f;
  }
  return out;
}

void compare(const char* what, const WavenetShape& shape, const std::vector<float>& actual,
             const std::vector<float>& expected, double tolerance) {
  double apart = 0.0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(actual[i]) - expected[i]);
    apart = difference <= apart ? apart : difference;  // NaN counts
  }
  if (!(apart <= tolerance)) {
    std::printf("FAILED: %s B=%ld H=%ld T=%ld: %g apart\n", what, static_cast<long>(shape.batch),
                static_cast<long>(shape.hidden), static_cast<long>(shape.time), apart);
    ++failures;
  }
}

void check(const WavenetShape& shape, bool conditioned) {
  const int64_t rows = shape.batch * shape.hidden, size = rows * shape.time;
  const int64_t stride = 6 * shape.hidden;
  const std::vector<float> a = values(2 * size, 1), condition = values(shape.batch * stride, 2), grad = values(size, 3);
  const std::vector<float> x = values(size, 4), skip = values(size, 5);
  std::vector<float> mask = values(shape.batch * shape.time, 6);
  for (float& value : mask) value = value > -2.0f ? 1.0f : 0.0f;
  std::vector<float> y(x.size()), grad_a(a.size()), grad_condition(static_cast<size_t>(2 * rows));
  std::vector<float> x_next(x.size()), skip_next(x.size()), grad_x(x.size()), grad_r(a.size());
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t item = row / shape.hidden, channel = row % shape.hidden;
    const int64_t upper = (item * 2 * shape.hidden + channel) * shape.time, lower = upper + shape.hidden * shape.time;
    const float add_a = conditioned ? condition[item * stride + channel] : 0.0f;
    const float add_b = conditioned ? condition[item * stride + channel + shape.hidden] : 0.0f;
    wavenet_gate_row(&a[upper], &a[lower], add_a, add_b, shape.time, &y[row * shape.time]);
    wavenet_gate_backward_row(&a[upper], &a[lower], add_a, add_b, &grad[row * shape.time], shape.time, &grad_a[upper],
                              &grad_a[lower], &grad_condition[item * 2 * shape.hidden + channel],
                              &grad_condition[(item * 2 + 1) * shape.hidden + channel]);
    for (int64_t t = 0; t < shape.time; ++t) {
      const int64_t at = row * shape.time + t;
      const float kept = mask[item * shape.time + t];
      x_next[at] = (x[at] + a[upper + t]) * kept;
      skip_next[at] = skip[at] + a[lower + t];
      grad_x[at] = grad[at] * kept;
      grad_r[upper + t] = grad_x[at];
      grad_r[lower + t] = skip[at];
    }
  }
  const OnDevice<float> device_a(a), device_condition(condition), device_grad(grad), device_x(x), device_skip(skip),
      device_mask(mask);
  const OnDevice<float> out(std::vector<float>(x.size(), -7.0f)), out_2(std::vector<float>(x.size(), -7.0f));
  const OnDevice<float> wide(std::vector<float>(a.size(), -7.0f));
  const OnDevice<float> sums(std::vector<float>(grad_condition.size(), -7.0f));
  const float* of_condition = conditioned ? device_condition.data() : nullptr;
  const char* problems[] = {
      wavenet_gate_cuda(shape, device_a.data(), of_condition, stride, out.data(), nullptr),
      wavenet_gate_backward_cuda(shape, device_a.data(), of_condition, stride, device_grad.data(), wide.data(), sums.data(),
                                 nullptr)};
  CHECK_CUDA(cudaDeviceSynchronize());
  compare("gate", shape, out.values(), y, 1e-6);
  compare("gate's gradient", shape, wide.values(), grad_a, 4e-6);
  compare("condition's gradient", shape, sums.values(), grad_condition, 1e-5 * static_cast<double>(shape.time + 10));
  const char* more[] = {
      wavenet_residual_cuda(shape, device_x.data(), device_a.data(), device_mask.data(), device_skip.data(), out.data(),
                            out_2.data(), nullptr),
      wavenet_residual_backward_cuda(shape, device_grad.data(), device_skip.data(), device_mask.data(), out.data(),
                                     wide.data(), nullptr)};
  CHECK_CUDA(cudaDeviceSynchronize());
  compare("residual's sum", shape, out_2.values(), skip_next, 0.0);
  compare("residual's gradient of x", shape, out.values(), grad_x, 0.0);
  compare("residual's gradient of r", shape, wide.values(), grad_r, 0.0);
  CHECK_CUDA(cudaDeviceSynchronize());
  wavenet_residual_cuda(shape, device_x.data(), device_a.data(), device_mask.data(), nullptr, out.data(), out_2.data(),
                        nullptr);
  CHECK_CUDA(cudaDeviceSynchronize());
  compare("residual's x", shape, out.values(), x_next, 0.0);
  for (const char* problem : {problems[0], problems[1], more[0], more[1]}) {
    if (problem != nullptr) {
      std::printf("FAILED: %s\n", problem);
      ++failures;
    }
  }
}

}  // namespace

int main() {
  if (const int status = without_gpu()) return status;
  int points = 0;
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
      for (const bool conditioned : {false, true}) {
        check({batch, 5, time}, conditioned);
        ++points;
      }
    }
  }
  std::printf("wavenet: %d grid points, %d failures\n", points, failures);
  return failures == 0 ? 0 : 1;
}
