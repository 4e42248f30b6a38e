// A block a row, for as many weights as fit into a launch's parameters: their addresses need no copy to the device, so a
// captured step can replay the launch.
#include <cuda_runtime.h>

#include <algorithm>

#include "weight_norm/weight_norm_raw.h"

namespace valetts {
namespace {

constexpr int kThreads = 256;
constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xFFFFFFFFu;
constexpr int kTensorsPerLaunch = 48;

template <typename Tensor>
struct Table {
  Tensor tensors[kTensorsPerLaunch];
  int first_row[kTensorsPerLaunch + 1];
  int count;
};
static_assert(sizeof(Table<WeightNormGradient>) <= 4096, "a launch's parameters hold 4 KB");

// The weight that a block's row belongs to: the last one that begins at or before it.
template <typename Tensor>
__device__ int tensor_of(const Table<Tensor>& table, int row) {
  int low = 0, high = table.count - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (table.first_row[middle] <= row) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

// The block's sum, in an order that does not change; every thread gets it.
__device__ float sum_of_block(float value) {
  __shared__ float sums[kThreads / kWarp];
  for (int distance = kWarp / 2; distance > 0; distance /= 2) value += __shfl_down_sync(kAllLanes, value, distance);
  if (threadIdx.x % kWarp == 0) sums[threadIdx.x / kWarp] = value;
  __syncthreads();
  float total = 0.0f;
  for (int warp = 0; warp < kThreads / kWarp; ++warp) total += sums[warp];
  return total;
}

__global__ void forward_kernel(const __grid_constant__ Table<WeightNormTensor> table) {
  const int index = tensor_of(table, static_cast<int>(blockIdx.x));
  const WeightNormTensor& of = table.tensors[index];
  const int64_t row = static_cast<int64_t>(blockIdx.x) - table.first_row[index];
  const float* v = of.v + row * of.columns;
  float* w = of.w + row * of.columns;
  float squares = 0.0f;
  for (int64_t i = threadIdx.x; i < of.columns; i += kThreads) squares += v[i] * v[i];
  const float norm = sqrtf(sum_of_block(squares));
  const float scale = of.g[row] / norm;
  for (int64_t i = threadIdx.x; i < of.columns; i += kThreads) w[i] = v[i] * scale;
  if (threadIdx.x == 0) of.norms[row] = norm;
}

__global__ void backward_kernel(const __grid_constant__ Table<WeightNormGradient> table) {
  const int index = tensor_of(table, static_cast<int>(blockIdx.x));
  const WeightNormGradient& of = table.tensors[index];
  const int64_t row = static_cast<int64_t>(blockIdx.x) - table.first_row[index];
  const float* v = of.v + row * of.columns;
  const float* grad_w = of.grad_w + row * of.columns;
  float* grad_v = of.grad_v + row * of.columns;
  float products = 0.0f;
  for (int64_t i = threadIdx.x; i < of.columns; i += kThreads) products += grad_w[i] * v[i];
  const float product = sum_of_block(products);
  const float norm = of.norms[row];
  const float scale = of.g[row] / norm;
  const float along = product / (norm * norm);
  for (int64_t i = threadIdx.x; i < of.columns; i += kThreads) grad_v[i] = scale * (grad_w[i] - v[i] * along);
  if (threadIdx.x == 0) of.grad_g[row] = product / norm;
}

const char* outcome() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

// Calls launch(table, rows) for every kTensorsPerLaunch weights.
template <typename Tensor, typename Launch>
const char* in_tables(const Tensor* tensors, int64_t count, const Launch& launch) {
  for (int64_t begin = 0; begin < count; begin += kTensorsPerLaunch) {
    Table<Tensor> table{};
    table.count = static_cast<int>(std::min<int64_t>(kTensorsPerLaunch, count - begin));
    for (int i = 0; i < table.count; ++i) {
      table.tensors[i] = tensors[begin + i];
      table.first_row[i + 1] = table.first_row[i] + static_cast<int>(tensors[begin + i].rows);
    }
    const int rows = table.first_row[table.count];
    if (rows == 0) continue;
    launch(table, static_cast<unsigned>(rows));
    if (const char* problem = outcome()) return problem;
  }
  return nullptr;
}

}  // namespace

const char* weight_norm_cuda(const WeightNormTensor* tensors, int64_t count, void* stream) {
  return in_tables(tensors, count, [stream](const Table<WeightNormTensor>& table, unsigned rows) {
    forward_kernel<<<rows, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(table);
  });
}

const char* weight_norm_backward_cuda(const WeightNormGradient* tensors, int64_t count, void* stream) {
  return in_tables(tensors, count, [stream](const Table<WeightNormGradient>& table, unsigned rows) {
    backward_kernel<<<rows, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(table);
  });
}

}  // namespace valetts
