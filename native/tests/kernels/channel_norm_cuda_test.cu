// The GPU's layer norm against the plain loops, without torch.
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "channel_norm/channel_norm_raw.h"
#include "on_device.cuh"

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

// Of the largest expected value.
void compare(const char* what, const ChannelNormShape& shape, const std::vector<float>& actual,
             const std::vector<float>& expected, double tolerance) {
  double apart = 0.0, largest = 1e-3;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(actual[i]) - expected[i]);
    apart = difference <= apart ? apart : difference;  // NaN counts
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
  }
  if (!(apart <= tolerance * largest)) {
    std::printf("FAILED: %s B=%ld C=%ld T=%ld: %g apart, the largest is %g\n", what, static_cast<long>(shape.batch),
                static_cast<long>(shape.channels), static_cast<long>(shape.time), apart, largest);
    ++failures;
  }
}

void check(const ChannelNormShape& shape, bool masked) {
  const int64_t size = shape.batch * shape.channels * shape.time, columns = shape.batch * shape.time;
  const std::vector<float> x = values(size, 1), gamma = values(shape.channels, 2), beta = values(shape.channels, 3);
  const std::vector<float> grad = values(size, 4);
  std::vector<float> mask = values(columns, 5);
  for (float& value : mask) value = value > -2.0f ? 1.0f : 0.0f;
  std::vector<float> y(x.size()), mean(mask.size()), scale(mask.size()), grad_x(x.size());
  std::vector<float> grad_gamma(gamma.size(), 0.0f), grad_beta(gamma.size(), 0.0f);
  for (int64_t item = 0; item < shape.batch; ++item) {
    const int64_t first = item * shape.channels * shape.time, row = item * shape.time;
    const float* mask_T = masked ? &mask[row] : nullptr;
    channel_norm_columns(shape.channels, shape.time, 0, shape.time, &x[first], gamma.data(), beta.data(), mask_T, &y[first],
                         &mean[row], &scale[row]);
    channel_norm_backward_columns(shape.channels, shape.time, 0, shape.time, &x[first], gamma.data(), mask_T, &mean[row],
                                  &scale[row], &grad[first], &grad_x[first], grad_gamma.data(), grad_beta.data());
  }
  const OnDevice<float> device_x(x), device_gamma(gamma), device_beta(beta), device_mask(mask), device_grad(grad);
  const OnDevice<float> out(std::vector<float>(x.size(), -7.0f));
  const OnDevice<float> out_mean(std::vector<float>(mask.size(), -7.0f)), out_scale(std::vector<float>(mask.size(), -7.0f));
  const OnDevice<float> out_gamma(std::vector<float>(gamma.size(), -7.0f)), out_beta(std::vector<float>(gamma.size(), -7.0f));
  const float* of_mask = masked ? device_mask.data() : nullptr;
  const char* forward = channel_norm_cuda(shape, device_x.data(), device_gamma.data(), device_beta.data(), of_mask, out.data(),
                                          out_mean.data(), out_scale.data(), nullptr);
  CHECK_CUDA(cudaDeviceSynchronize());
  compare("layer norm", shape, out.values(), y, 4e-6);
  compare("mean", shape, out_mean.values(), mean, 2e-6);
  compare("scale", shape, out_scale.values(), scale, 1e-5);
  const char* backward = channel_norm_backward_cuda(shape, device_x.data(), device_gamma.data(), of_mask, out_mean.data(),
                                                    out_scale.data(), device_grad.data(), out.data(), out_gamma.data(),
                                                    out_beta.data(), nullptr);
  CHECK_CUDA(cudaDeviceSynchronize());
  compare("gradient of x", shape, out.values(), grad_x, 2e-5);
  compare("gradient of gamma", shape, out_gamma.values(), grad_gamma, 1e-4);
  compare("gradient of beta", shape, out_beta.values(), grad_beta, 1e-4);
  for (const char* problem : {forward, backward}) {
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
      for (const int64_t channels : {5, 192}) {
        for (const bool masked : {false, true}) {
          check({batch, channels, time}, masked);
          ++points;
        }
      }
    }
  }
  std::printf("channel_norm: %d grid points, %d failures\n", points, failures);
  return failures == 0 ? 0 : 1;
}
