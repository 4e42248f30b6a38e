// A thread makes one counter: four or eight values, of which eight threads in a row write eight side by side.
#include <cuda_runtime.h>

#include "philox/philox_block.h"

namespace valetts {
namespace {

constexpr int kThreads = 256;

__global__ void philox_kernel(DrawShape shape, const uint32_t* key_2, const int64_t* ids_B, int64_t counters, float* out_BCT) {
  const int64_t index = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t row = index / counters;
  if (row >= shape.batch * shape.channels) return;
  philox_counter(shape, key_2, static_cast<uint64_t>(ids_B[row / shape.channels]), row % shape.channels, index % counters,
                 out_BCT + row * shape.time);
}

}  // namespace

const char* philox_cuda(const DrawShape& shape, const uint32_t* key_2, const int64_t* ids_B, float* out_BCT, void* stream) {
  const int64_t counters = counters_of_row(shape);
  const int64_t threads = shape.batch * shape.channels * counters;
  if (threads == 0) return nullptr;
  const int64_t blocks = (threads + kThreads - 1) / kThreads;
  if (blocks > 0x7FFFFFFF) return "a draw of more values than one launch makes";
  philox_kernel<<<static_cast<unsigned>(blocks), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(shape, key_2, ids_B,
                                                                                                  counters, out_BCT);
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace valetts
