// What the newer checks of the GPU's kernels share: values, and their comparison with the plain loops'.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "on_device.cuh"

namespace valetts {

inline int failures = 0;

// In -4 .. 4.
inline std::vector<float> values(int64_t count, uint64_t seed) {
  std::vector<float> out(static_cast<size_t>(count));
  for (float& value : out) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    value = static_cast<float>(seed >> 40) / 2097152.0f - 4.0f;
  }
  return out;
}

// 1 for most, 0 for the rest.
inline std::vector<float> mask_values(int64_t count, uint64_t seed) {
  std::vector<float> out = values(count, seed);
  for (float& value : out) value = value > -2.0f ? 1.0f : 0.0f;
  return out;
}

// Of the largest expected value.
inline void compare(const std::string& what, const std::vector<float>& actual, const std::vector<float>& expected,
                    double tolerance) {
  double apart = 0.0, largest = 1e-3;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(actual[i]) - expected[i]);
    apart = difference <= apart ? apart : difference;  // NaN counts
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
  }
  if (!(apart <= tolerance * largest)) {
    std::printf("FAILED: %s: %g apart, the largest is %g\n", what.c_str(), apart, largest);
    ++failures;
  }
}

// A launch's answer.
inline void launched(const char* problem) {
  if (problem != nullptr) {
    std::printf("FAILED: %s\n", problem);
    ++failures;
  }
  CHECK_CUDA(cudaDeviceSynchronize());
}

}  // namespace valetts
