// What the kernels' own checks share: values on the device, and what to say where there is none.
#pragma once

#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace valetts {

#define CHECK_CUDA(call)                                                                     \
  do {                                                                                       \
    const cudaError_t error = (call);                                                        \
    if (error != cudaSuccess) {                                                              \
      std::printf("FAILED: %s: %s\n", #call, cudaGetErrorString(error));                     \
      std::exit(1);                                                                          \
    }                                                                                        \
  } while (false)

// Device memory with a copy of the values; at least one byte, so that an empty vector has an address.
template <typename Value>
class OnDevice {
 public:
  explicit OnDevice(const std::vector<Value>& values) : count_(values.size()) {
    CHECK_CUDA(cudaMalloc(reinterpret_cast<void**>(&data_), count_ * sizeof(Value) + 1));
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

// 0 where there is a GPU; else says so and gives the status to end with: 77 (skipped), or 1 with VALETTS_REQUIRE_GPU=1.
inline int without_gpu() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0) return 0;
  const char* required = std::getenv("VALETTS_REQUIRE_GPU");
  if (required != nullptr && std::strcmp(required, "1") == 0) {
    std::printf("FAILED: no usable GPU, and VALETTS_REQUIRE_GPU=1\n");
    return 1;
  }
  std::printf("SKIPPED: no usable GPU; the kernels were compiled, not run\nskipped test cases: 1\n");
  return 77;
}

}  // namespace valetts
