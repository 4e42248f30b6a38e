// Draws made on the GPU against the plain loops, without torch: every kind, every tail, the same bits.
#include <cuda_runtime.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "on_device.cuh"
#include "philox/philox_raw.h"

namespace {

using namespace valetts;

int failures = 0;

void check(DrawKind kind, int64_t batch, int64_t channels, int64_t time) {
  const std::vector<uint32_t> key{0x243F6A88u, 0x85A308D3u};
  std::vector<int64_t> ids;
  for (int64_t b = 0; b < batch; ++b) ids.push_back((int64_t{1} << 33) * b - 5);
  const DrawShape shape{kind, 70, batch, channels, time, 6554, 1.0f / 0.9f};
  const auto size = static_cast<size_t>(batch * channels * time);
  std::vector<float> expected(size, -1.0f);
  philox_fill(shape, key.data(), ids.data(), expected.data());
  const OnDevice<uint32_t> device_key(key);
  const OnDevice<int64_t> device_ids(ids);
  const OnDevice<float> out(std::vector<float>(size, -2.0f));
  const char* problem = philox_cuda(shape, device_key.data(), device_ids.data(), out.data(), nullptr);
  CHECK_CUDA(cudaDeviceSynchronize());
  if (problem != nullptr || std::memcmp(out.values().data(), expected.data(), size * sizeof(float)) != 0) {
    std::printf("FAILED: kind=%d B=%ld C=%ld T=%ld: %s\n", static_cast<int>(kind), static_cast<long>(batch),
                static_cast<long>(channels), static_cast<long>(time), problem == nullptr ? "other values" : problem);
    ++failures;
  }
}

}  // namespace

int main() {
  if (const int status = without_gpu()) return status;
  int points = 0;
  for (const DrawKind kind : {DrawKind::kNormal, DrawKind::kUniform, DrawKind::kKeepMask}) {
    for (const int64_t batch : {1, 16}) {
      for (const int64_t time : {1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 129, 1134}) {
        for (const int64_t channels : {1, 192}) {
          check(kind, batch, channels, time);
          ++points;
        }
      }
    }
  }
  std::printf("philox: %d grid points, %d failures\n", points, failures);
  return failures == 0 ? 0 : 1;
}
