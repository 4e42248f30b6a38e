// A block takes 32 neighbouring columns: a row of a warp's threads reads 32 values of one channel in one piece, the block's warps
// take the channels in turn and meet twice for the sums. The gradients of gamma and beta are a block for each channel. All sums
// are in an order that does not change.
#include <cuda_runtime.h>

#include "channel_norm/channel_norm_raw.h"

namespace valetts {
namespace {

constexpr int kColumns = 32;
constexpr int kWarps = 8;
constexpr int kThreads = kColumns * kWarps;
constexpr unsigned kAllLanes = 0xFFFFFFFFu;

struct Column {
  bool inside;
  int64_t first;  // its first channel in [B,C,T]
  int64_t row;    // its place in [B,T]
};

__device__ Column column_of(const ChannelNormShape& shape) {
  const int64_t item = blockIdx.y, t = static_cast<int64_t>(blockIdx.x) * kColumns + threadIdx.x;
  return {t < shape.time, item * shape.channels * shape.time + t, item * shape.time + t};
}

// The sum of the warps' values for this column, for all of them.
__device__ float over_warps(float value, float (*shared)[kColumns]) {
  __syncthreads();
  shared[threadIdx.y][threadIdx.x] = value;
  __syncthreads();
  float total = 0.0f;
  for (int warp = 0; warp < kWarps; ++warp) total += shared[warp][threadIdx.x];
  return total;
}

__global__ void norm_kernel(ChannelNormShape shape, const float* x_BCT, const float* gamma_C, const float* beta_C,
                            const float* mask_BT, float* y_BCT, float* mean_BT, float* scale_BT) {
  __shared__ float shared[kWarps][kColumns];
  const Column column = column_of(shape);
  const float count = static_cast<float>(shape.channels);
  float sum = 0.0f;
  if (column.inside) {
    for (int64_t c = threadIdx.y; c < shape.channels; c += kWarps) sum += x_BCT[column.first + c * shape.time];
  }
  const float mean = over_warps(sum, shared) / count;
  float squares = 0.0f;
  if (column.inside) {
    for (int64_t c = threadIdx.y; c < shape.channels; c += kWarps) {
      const float centred = x_BCT[column.first + c * shape.time] - mean;
      squares += centred * centred;
    }
  }
  const float scale = 1.0f / sqrtf(over_warps(squares, shared) / count + kChannelNormEpsilon);
  if (!column.inside) return;
  const float kept = mask_BT == nullptr ? 1.0f : mask_BT[column.row];
  for (int64_t c = threadIdx.y; c < shape.channels; c += kWarps) {
    const int64_t at = column.first + c * shape.time;
    y_BCT[at] = ((x_BCT[at] - mean) * scale * gamma_C[c] + beta_C[c]) * kept;
  }
  if (threadIdx.y == 0) {
    mean_BT[column.row] = mean;
    scale_BT[column.row] = scale;
  }
}

__global__ void norm_backward_kernel(ChannelNormShape shape, const float* x_BCT, const float* gamma_C, const float* mask_BT,
                                     const float* mean_BT, const float* scale_BT, const float* grad_BCT,
                                     float* grad_x_BCT) {
  __shared__ float shared[kWarps][kColumns];
  const Column column = column_of(shape);
  const float count = static_cast<float>(shape.channels);
  float mean = 0.0f, scale = 0.0f, kept = 1.0f, sum = 0.0f, product = 0.0f;
  if (column.inside) {
    mean = mean_BT[column.row];
    scale = scale_BT[column.row];
    if (mask_BT != nullptr) kept = mask_BT[column.row];
    for (int64_t c = threadIdx.y; c < shape.channels; c += kWarps) {
      const int64_t at = column.first + c * shape.time;
      const float weighted = grad_BCT[at] * kept * gamma_C[c];
      sum += weighted;
      product += weighted * ((x_BCT[at] - mean) * scale);
    }
  }
  sum = over_warps(sum, shared) / count;
  product = over_warps(product, shared) / count;
  if (!column.inside) return;
  for (int64_t c = threadIdx.y; c < shape.channels; c += kWarps) {
    const int64_t at = column.first + c * shape.time;
    const float normal = (x_BCT[at] - mean) * scale;
    grad_x_BCT[at] = scale * (grad_BCT[at] * kept * gamma_C[c] - sum - normal * product);
  }
}

__global__ void parameters_backward_kernel(ChannelNormShape shape, const float* x_BCT, const float* mask_BT,
                                           const float* mean_BT, const float* scale_BT, const float* grad_BCT,
                                           float* grad_gamma_C, float* grad_beta_C) {
  __shared__ float of_gamma[kWarps], of_beta[kWarps];
  const int64_t channel = blockIdx.x;
  float to_gamma = 0.0f, to_beta = 0.0f;
  for (int64_t item = 0; item < shape.batch; ++item) {
    const int64_t first = (item * shape.channels + channel) * shape.time;
    for (int64_t t = threadIdx.x; t < shape.time; t += kThreads) {
      const int64_t row = item * shape.time + t;
      const float grad = grad_BCT[first + t] * (mask_BT == nullptr ? 1.0f : mask_BT[row]);
      to_gamma += grad * ((x_BCT[first + t] - mean_BT[row]) * scale_BT[row]);
      to_beta += grad;
    }
  }
  for (int distance = kColumns / 2; distance > 0; distance /= 2) {
    to_gamma += __shfl_down_sync(kAllLanes, to_gamma, distance);
    to_beta += __shfl_down_sync(kAllLanes, to_beta, distance);
  }
  if (threadIdx.x % kColumns == 0) {
    of_gamma[threadIdx.x / kColumns] = to_gamma;
    of_beta[threadIdx.x / kColumns] = to_beta;
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  float total_gamma = 0.0f, total_beta = 0.0f;
  for (int warp = 0; warp < kWarps; ++warp) {
    total_gamma += of_gamma[warp];
    total_beta += of_beta[warp];
  }
  grad_gamma_C[channel] = total_gamma;
  grad_beta_C[channel] = total_beta;
}

const char* outcome() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

bool is_empty(const ChannelNormShape& shape) { return shape.batch * shape.channels * shape.time == 0; }

dim3 column_blocks(const ChannelNormShape& shape) {
  return {static_cast<unsigned>((shape.time + kColumns - 1) / kColumns), static_cast<unsigned>(shape.batch), 1};
}

}  // namespace

const char* channel_norm_cuda(const ChannelNormShape& shape, const float* x_BCT, const float* gamma_C, const float* beta_C,
                              const float* mask_BT, float* y_BCT, float* mean_BT, float* scale_BT, void* stream) {
  if (is_empty(shape)) return nullptr;
  norm_kernel<<<column_blocks(shape), dim3(kColumns, kWarps), 0, static_cast<cudaStream_t>(stream)>>>(
      shape, x_BCT, gamma_C, beta_C, mask_BT, y_BCT, mean_BT, scale_BT);
  return outcome();
}

const char* channel_norm_backward_cuda(const ChannelNormShape& shape, const float* x_BCT, const float* gamma_C,
                                       const float* mask_BT, const float* mean_BT, const float* scale_BT,
                                       const float* grad_BCT, float* grad_x_BCT, float* grad_gamma_C, float* grad_beta_C,
                                       void* stream) {
  const auto in_stream = static_cast<cudaStream_t>(stream);
  if (shape.channels == 0) return nullptr;
  if (!is_empty(shape)) {
    norm_backward_kernel<<<column_blocks(shape), dim3(kColumns, kWarps), 0, in_stream>>>(
        shape, x_BCT, gamma_C, mask_BT, mean_BT, scale_BT, grad_BCT, grad_x_BCT);
    if (const char* problem = outcome()) return problem;
  }
  parameters_backward_kernel<<<static_cast<unsigned>(shape.channels), kThreads, 0, in_stream>>>(
      shape, x_BCT, mask_BT, mean_BT, scale_BT, grad_BCT, grad_gamma_C, grad_beta_C);
  return outcome();
}

}  // namespace valetts
