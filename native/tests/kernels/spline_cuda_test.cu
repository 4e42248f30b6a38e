// The GPU's spline against the plain loops, without torch.
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "on_device.cuh"
#include "spline/spline_raw.h"

namespace {

using namespace valetts;

int failures = 0;

std::vector<float> values(int64_t count, uint64_t seed) {
  std::vector<float> out(static_cast<size_t>(count));
  for (float& value : out) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    value = static_cast<float>(seed >> 40) / 4194304.0f - 2.0f;
  }
  return out;
}

void compare(const char* what, const SplineShape& shape, const std::vector<float>& actual, const std::vector<float>& expected,
             double tolerance) {
  double apart = 0.0, largest = 1.0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(actual[i]) - expected[i]);
    apart = difference <= apart ? apart : difference;  // NaN counts
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
  }
  if (!(apart <= tolerance * largest)) {
    std::printf("FAILED: %s B=%ld T=%ld: %g apart\n", what, static_cast<long>(shape.batch), static_cast<long>(shape.time),
                apart);
    ++failures;
  }
}

void check(const SplineShape& shape, int64_t bins, bool inverse) {
  const SplineOptions options{bins, 0.7f, 5.0f, inverse};
  const int64_t rows = 3 * bins - 1, columns = shape.batch * shape.time;
  std::vector<float> x = values(shape.batch * shape.x_stride, 1);
  for (float& value : x) value *= 3.0f;
  const std::vector<float> h = values(columns * rows, 2), grad_y = values(columns, 3), grad_log = values(shape.batch, 4);
  std::vector<float> mask(static_cast<size_t>(columns), 1.0f);
  for (int64_t b = 0; b < shape.batch; ++b) {
    for (int64_t t = std::max<int64_t>(0, shape.time - b); t < shape.time; ++t) mask[b * shape.time + t] = 0.0f;
  }
  std::vector<float> y(mask.size()), logs(mask.size()), sums(grad_log.size()), grad_x(mask.size()), grad_h(h.size());
  for (int64_t b = 0; b < shape.batch; ++b) {
    const int64_t first = b * shape.time;
    spline_columns(options, shape.time, &x[b * shape.x_stride], &h[first * rows], shape.time, &mask[first], &y[first],
                   &logs[first]);
    spline_backward_columns(options, shape.time, &x[b * shape.x_stride], &h[first * rows], shape.time, &mask[first],
                            &grad_y[first], grad_log[b], &grad_x[first], &grad_h[first * rows]);
    for (int64_t t = 0; t < shape.time; ++t) sums[b] += logs[first + t];
  }
  const OnDevice<float> device_x(x), device_h(h), device_mask(mask), device_grad(grad_y), device_grad_log(grad_log);
  const OnDevice<float> out(std::vector<float>(y.size(), -7.0f)), out_log(std::vector<float>(sums.size(), -7.0f));
  const OnDevice<float> out_x(std::vector<float>(y.size(), -7.0f)), out_h(std::vector<float>(h.size(), -7.0f));
  const char* problems[] = {
      spline_cuda(options, shape, device_x.data(), device_h.data(), device_mask.data(), out.data(), out_log.data(), nullptr),
      spline_backward_cuda(options, shape, device_x.data(), device_h.data(), device_mask.data(), device_grad.data(),
                           device_grad_log.data(), out_x.data(), out_h.data(), nullptr)};
  CHECK_CUDA(cudaDeviceSynchronize());
  for (const char* problem : problems) {
    if (problem == nullptr) continue;
    std::printf("FAILED: %s\n", problem);
    ++failures;
  }
  compare("values", shape, out.values(), y, 1e-5);
  compare("log-determinant", shape, out_log.values(), sums, 1e-4);
  compare("gradient of x", shape, out_x.values(), grad_x, 1e-3);
  compare("gradient of h", shape, out_h.values(), grad_h, 1e-3);
}

}  // namespace

int main() {
  if (const int status = without_gpu()) return status;
  int points = 0;
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
      for (const int64_t bins : {2, 10, 16}) {
        for (const bool inverse : {false, true}) {
          check({batch, time, 2 * time}, bins, inverse);
          ++points;
        }
      }
    }
  }
  std::printf("spline: %d grid points, %d failures\n", points, failures);
  return failures == 0 ? 0 : 1;
}
