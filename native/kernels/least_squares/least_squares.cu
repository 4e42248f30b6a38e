// A block a piece. The pieces' addresses travel as parameters of the launch, so that a captured step can replay it; sums are in
// an order that does not change.
#include <cuda_runtime.h>

#include <type_traits>

#include "core/value_type.cuh"
#include "least_squares/least_squares_raw.h"

namespace valetts {
namespace {

constexpr int kThreads = 512;
constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xFFFFFFFFu;
static_assert(sizeof(LeastSquaresTable) <= 4000, "a launch's parameters hold 4 KB");

template <typename Value>
__global__ void parts_kernel(const __grid_constant__ LeastSquaresTable table, float* parts) {
  __shared__ float of_warps[kThreads / kWarp];
  const int piece = static_cast<int>(blockIdx.x);
  const Value* x = static_cast<const Value*>(table.x[piece]);
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < table.count[piece]; i += kThreads) {
    const float difference = table.target[piece] - wide(x[i]);
    sum += difference * difference;
  }
  for (int distance = kWarp / 2; distance > 0; distance /= 2) sum += __shfl_down_sync(kAllLanes, sum, distance);
  if (threadIdx.x % kWarp == 0) of_warps[threadIdx.x / kWarp] = sum;
  __syncthreads();
  if (threadIdx.x != 0) return;
  float total = 0.0f;
  for (int warp = 0; warp < kThreads / kWarp; ++warp) total += of_warps[warp];
  parts[piece] = total / static_cast<float>(table.count[piece]);
}

template <typename Value>
__global__ void parts_backward_kernel(const __grid_constant__ LeastSquaresTable table, const float* grad) {
  const int piece = static_cast<int>(blockIdx.x);
  const Value* x = static_cast<const Value*>(table.x[piece]);
  Value* to = static_cast<Value*>(table.to[piece]);
  const float factor = 2.0f * grad[piece] / static_cast<float>(table.count[piece]);
  for (int64_t i = threadIdx.x; i < table.count[piece]; i += kThreads) {
    to[i] = narrow<Value>((wide(x[i]) - table.target[piece]) * factor);
  }
}

const char* outcome() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace

const char* least_squares_cuda(ValueType type, const LeastSquaresTable& table, float* parts, void* stream) {
  if (table.pieces == 0) return nullptr;
  return with_type(type, [&](auto* of_type) {
    using Value = std::remove_pointer_t<decltype(of_type)>;
    parts_kernel<Value><<<static_cast<unsigned>(table.pieces), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(table, parts);
    return outcome();
  });
}

const char* least_squares_backward_cuda(ValueType type, const LeastSquaresTable& table, const float* grad, void* stream) {
  if (table.pieces == 0) return nullptr;
  return with_type(type, [&](auto* of_type) {
    using Value = std::remove_pointer_t<decltype(of_type)>;
    parts_backward_kernel<Value>
        <<<static_cast<unsigned>(table.pieces), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(table, grad);
    return outcome();
  });
}

}  // namespace valetts
