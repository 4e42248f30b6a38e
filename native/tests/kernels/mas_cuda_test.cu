// The GPU's alignment search against the plain loops, without torch: ragged lengths, ties, the same bits, twice.
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "mas/mas_raw.h"

namespace {

using namespace valetts;

int failures = 0;

#define CHECK_CUDA(call)                                                                     \
  do {                                                                                       \
    const cudaError_t error = (call);                                                        \
    if (error != cudaSuccess) {                                                              \
      std::printf("FAILED: %s: %s\n", #call, cudaGetErrorString(error));                     \
      std::exit(1);                                                                          \
    }                                                                                        \
  } while (false)

// Device memory with a copy of the values.
template <typename Value>
class OnDevice {
 public:
  explicit OnDevice(const std::vector<Value>& values) : count_(values.size()) {
    CHECK_CUDA(cudaMalloc(reinterpret_cast<void**>(&data_), count_ * sizeof(Value)));
    CHECK_CUDA(cudaMemcpy(data_, values.data(), count_ * sizeof(Value), cudaMemcpyHostToDevice));
  }
  ~OnDevice() { cudaFree(data_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;
  Value* data() const { return data_; }
  std::vector<Value> values() const {
    std::vector<Value> host(count_);
    CHECK_CUDA(cudaMemcpy(host.data(), data_, count_ * sizeof(Value), cudaMemcpyDeviceToHost));
    return host;
  }

 private:
  size_t count_;
  Value* data_ = nullptr;
};

uint32_t next_random(uint64_t& state) {
  state = state * 6364136223846793005ull + 1442695040888963407ull;
  return static_cast<uint32_t>(state >> 33);
}

void check_grid_point(int64_t batch, int64_t frames, int64_t tokens, bool ties) {
  uint64_t state = static_cast<uint64_t>(batch * 1000003 + frames * 1009 + tokens * 2 + ties);
  std::vector<float> score(static_cast<size_t>(batch * frames * tokens));
  for (float& value : score) {
    value = static_cast<float>(next_random(state) % 40000) / 1000.0f - 30.0f;
    value = ties ? std::round(value / 8) : value;
  }
  std::vector<int32_t> text_len(static_cast<size_t>(batch));
  std::vector<int32_t> frame_len(static_cast<size_t>(batch));
  for (size_t b = 0; b < text_len.size(); ++b) {
    text_len[b] = b == 0 ? static_cast<int32_t>(tokens) : 1 + static_cast<int32_t>(next_random(state) % tokens);
    frame_len[b] = b == 0 ? static_cast<int32_t>(frames)
                          : text_len[b] + static_cast<int32_t>(next_random(state) % (frames - text_len[b] + 1));
  }
  std::vector<int32_t> expected(static_cast<size_t>(batch * tokens));
  for (int64_t b = 0; b < batch; ++b) {
    mas_item(score.data() + b * frames * tokens, tokens, text_len[static_cast<size_t>(b)],
             frame_len[static_cast<size_t>(b)], expected.data() + b * tokens);
  }

  const OnDevice<float> device_score(score);
  const OnDevice<int32_t> device_text_len(text_len);
  const OnDevice<int32_t> device_frame_len(frame_len);
  const int64_t scratch_bytes = mas_cuda_scratch_bytes(batch, frames, tokens);
  const OnDevice<uint8_t> scratch(std::vector<uint8_t>(static_cast<size_t>(scratch_bytes + 1), 0xAB));
  for (int run = 0; run < 2; ++run) {
    const OnDevice<int32_t> durations(std::vector<int32_t>(expected.size(), -7));
    const char* problem = mas_cuda(device_score.data(), device_text_len.data(), device_frame_len.data(), batch, frames,
                                   tokens, scratch_bytes > 0 ? scratch.data() : nullptr, durations.data(), nullptr);
    if (problem != nullptr) {
      std::printf("FAILED: B=%ld S=%ld T=%ld: %s\n", static_cast<long>(batch), static_cast<long>(frames),
                  static_cast<long>(tokens), problem);
      ++failures;
      return;
    }
    CHECK_CUDA(cudaDeviceSynchronize());
    if (durations.values() != expected) {
      std::printf("FAILED: B=%ld S=%ld T=%ld ties=%d run %d: durations differ from the plain loops\n",
                  static_cast<long>(batch), static_cast<long>(frames), static_cast<long>(tokens), ties, run);
      ++failures;
    }
  }
  const std::vector<float> after = device_score.values();
  if (std::memcmp(after.data(), score.data(), score.size() * sizeof(float)) != 0) {
    std::printf("FAILED: S=%ld T=%ld: the score was changed\n", static_cast<long>(frames), static_cast<long>(tokens));
    ++failures;
  }
}

// Prints the median time of a call; a figure, not a check.
void print_time(int64_t batch, int64_t tokens, int64_t frames, double goal_us) {
  std::vector<float> score(static_cast<size_t>(batch * frames * tokens));
  uint64_t state = 1;
  for (float& value : score) {
    value = static_cast<float>(next_random(state) % 40000) / 1000.0f - 30.0f;
  }
  const OnDevice<float> device_score(score);
  const OnDevice<int32_t> text_len(std::vector<int32_t>(static_cast<size_t>(batch), static_cast<int32_t>(tokens)));
  const OnDevice<int32_t> frame_len(std::vector<int32_t>(static_cast<size_t>(batch), static_cast<int32_t>(frames)));
  const OnDevice<int32_t> durations(std::vector<int32_t>(static_cast<size_t>(batch * tokens)));
  const int64_t scratch_bytes = mas_cuda_scratch_bytes(batch, frames, tokens);
  const OnDevice<uint8_t> scratch(std::vector<uint8_t>(static_cast<size_t>(scratch_bytes + 1)));
  cudaEvent_t began, ended;
  CHECK_CUDA(cudaEventCreate(&began));
  CHECK_CUDA(cudaEventCreate(&ended));
  std::vector<float> times_ms;
  for (int run = 0; run < 25; ++run) {
    CHECK_CUDA(cudaEventRecord(began));
    mas_cuda(device_score.data(), text_len.data(), frame_len.data(), batch, frames, tokens,
             scratch_bytes > 0 ? scratch.data() : nullptr, durations.data(), nullptr);
    CHECK_CUDA(cudaEventRecord(ended));
    CHECK_CUDA(cudaEventSynchronize(ended));
    float elapsed = 0.0f;
    CHECK_CUDA(cudaEventElapsedTime(&elapsed, began, ended));
    if (run >= 5) {
      times_ms.push_back(elapsed);
    }
  }
  std::sort(times_ms.begin(), times_ms.end());
  std::printf("mas %ldx%ldx%ld: %.1f us, %.0f is the goal on an H100\n", static_cast<long>(batch),
              static_cast<long>(tokens), static_cast<long>(frames), 1000.0 * times_ms[times_ms.size() / 2], goal_us);
}

}  // namespace

int main() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    const char* required = std::getenv("VALETTS_REQUIRE_GPU");
    if (required != nullptr && std::strcmp(required, "1") == 0) {
      std::printf("FAILED: no usable GPU, and VALETTS_REQUIRE_GPU=1\n");
      return 1;
    }
    std::printf("SKIPPED: no usable GPU; the kernels were compiled, not run\nskipped test cases: 1\n");
    return 77;
  }
  int points = 0;
  for (const int64_t batch : {1, 16}) {
    for (const int64_t tokens : {1, 2, 31, 32, 33, 64, 65, 129, 256, 257, 513, 1025, 1134}) {
      for (const int64_t extra : {int64_t{0}, tokens / 2, 3 * tokens}) {
        for (const bool ties : {false, true}) {
          check_grid_point(batch, tokens + extra, tokens, ties);
          ++points;
        }
      }
    }
  }
  if (mas_cuda(nullptr, nullptr, nullptr, 1, 5000, kMasCudaMaxTokens + 1, nullptr, nullptr, nullptr) == nullptr) {
    std::printf("FAILED: more tokens than the kernel's limit were accepted\n");
    ++failures;
  }
  print_time(32, 200, 800, 60.0);
  print_time(64, 400, 1600, 200.0);
  std::printf("mas: %d grid points, %d failures\n", points, failures);
  return failures == 0 ? 0 : 1;
}
