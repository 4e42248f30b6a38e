// A block a piece of a map, then one block adds up the pieces. The maps' addresses travel as parameters of the launch, so that a
// captured step can replay it; sums are in an order that does not change.
#include <cuda_runtime.h>

#include <type_traits>

#include "core/value_type.cuh"
#include "feature_matching/feature_matching_raw.h"

namespace valetts {
namespace {

constexpr int kThreads = 256;
constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xFFFFFFFFu;
static_assert(sizeof(FeatureMapTable) <= 4000, "a launch's parameters hold 4 KB");

// The map that a piece belongs to: the last one that begins at or before it.
__device__ int map_of(const FeatureMapTable& table, int piece) {
  int low = 0, high = table.maps - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (table.first_piece[middle] <= piece) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

// In the block's first thread.
__device__ float sum_of_block(float value) {
  __shared__ float of_warps[kThreads / kWarp];
  for (int distance = kWarp / 2; distance > 0; distance /= 2) value += __shfl_down_sync(kAllLanes, value, distance);
  if (threadIdx.x % kWarp == 0) of_warps[threadIdx.x / kWarp] = value;
  __syncthreads();
  float total = 0.0f;
  if (threadIdx.x == 0) {
    for (int warp = 0; warp < kThreads / kWarp; ++warp) total += of_warps[warp];
  }
  return total;
}

struct Stretch {
  int map;
  int64_t begin;
  int64_t end;
};

__device__ Stretch stretch_of(const FeatureMapTable& table) {
  const int piece = static_cast<int>(blockIdx.x), map = map_of(table, piece);
  const int64_t begin = static_cast<int64_t>(piece - table.first_piece[map]) * kMapPiece;
  const int64_t end = begin + kMapPiece < table.count[map] ? begin + kMapPiece : table.count[map];
  return {map, begin, end};
}

template <typename Value>
__global__ void pieces_kernel(const __grid_constant__ FeatureMapTable table, float* pieces_P) {
  const Stretch stretch = stretch_of(table);
  const Value* generated = static_cast<const Value*>(table.generated[stretch.map]);
  const Value* real = static_cast<const Value*>(table.real[stretch.map]);
  float sum = 0.0f;
  for (int64_t i = stretch.begin + threadIdx.x; i < stretch.end; i += kThreads) sum += fabsf(wide(generated[i]) - wide(real[i]));
  const float total = sum_of_block(sum);
  if (threadIdx.x == 0) pieces_P[blockIdx.x] = total / static_cast<float>(table.count[stretch.map]);
}

__global__ void sum_kernel(int count, const float* pieces_P, float* distance) {
  float sum = 0.0f;
  for (int i = threadIdx.x; i < count; i += kThreads) sum += pieces_P[i];
  const float total = sum_of_block(sum);
  if (threadIdx.x == 0) *distance = total;
}

template <typename Value>
__global__ void backward_kernel(const __grid_constant__ FeatureMapTable table, const float* grad) {
  const Stretch stretch = stretch_of(table);
  const Value* generated = static_cast<const Value*>(table.generated[stretch.map]);
  const Value* real = static_cast<const Value*>(table.real[stretch.map]);
  Value* to = static_cast<Value*>(table.to[stretch.map]);
  const float scale = *grad / static_cast<float>(table.count[stretch.map]);
  for (int64_t i = stretch.begin + threadIdx.x; i < stretch.end; i += kThreads) {
    const float difference = wide(generated[i]) - wide(real[i]);
    to[i] = narrow<Value>(difference > 0.0f ? scale : difference < 0.0f ? -scale : 0.0f);
  }
}

const char* outcome() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace

const char* feature_distance_cuda(ValueType type, const FeatureMapTable& table, float* pieces_P, float* distance, void* stream) {
  const int pieces = table.first_piece[table.maps];
  if (pieces == 0) return nullptr;
  const auto in_stream = static_cast<cudaStream_t>(stream);
  return with_type(type, [&](auto* of_type) -> const char* {
    using Value = std::remove_pointer_t<decltype(of_type)>;
    pieces_kernel<Value><<<static_cast<unsigned>(pieces), kThreads, 0, in_stream>>>(table, pieces_P);
    if (const char* problem = outcome()) return problem;
    sum_kernel<<<1, kThreads, 0, in_stream>>>(pieces, pieces_P, distance);
    return outcome();
  });
}

const char* feature_distance_backward_cuda(ValueType type, const FeatureMapTable& table, const float* grad, void* stream) {
  const int pieces = table.first_piece[table.maps];
  if (pieces == 0) return nullptr;
  return with_type(type, [&](auto* of_type) {
    using Value = std::remove_pointer_t<decltype(of_type)>;
    backward_kernel<Value><<<static_cast<unsigned>(pieces), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(table, grad);
    return outcome();
  });
}

}  // namespace valetts
