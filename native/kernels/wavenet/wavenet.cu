// A block a row of time: every access is in one piece, and the condition's gradient is a sum within the block, in an order
// that does not change.
#include <cuda_runtime.h>

#include "wavenet/wavenet_raw.h"

namespace valetts {
namespace {

constexpr int kThreads = 256;
constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xFFFFFFFFu;

struct Rows {
  int64_t item;
  int64_t channel;
  int64_t first;   // where the row begins in [B,H,T]
  int64_t upper;   // where the rows begin in [B,2H,T]
  int64_t lower;
};

__device__ Rows rows_of(const WavenetShape& shape, int64_t row) {
  const int64_t item = row / shape.hidden;
  const int64_t channel = row % shape.hidden;
  const int64_t upper = (item * 2 * shape.hidden + channel) * shape.time;
  return {item, channel, row * shape.time, upper, upper + shape.hidden * shape.time};
}

__device__ float condition_of(const float* condition_BG, int64_t stride, int64_t item, int64_t channel) {
  return condition_BG == nullptr ? 0.0f : condition_BG[item * stride + channel];
}

__device__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

__global__ void gate_kernel(WavenetShape shape, const float* a_BGT, const float* condition_BG, int64_t stride, float* y_BHT) {
  const Rows rows = rows_of(shape, blockIdx.x);
  const float add_a = condition_of(condition_BG, stride, rows.item, rows.channel);
  const float add_b = condition_of(condition_BG, stride, rows.item, rows.channel + shape.hidden);
  for (int64_t t = threadIdx.x; t < shape.time; t += blockDim.x) {
    y_BHT[rows.first + t] = tanhf(a_BGT[rows.upper + t] + add_a) * sigmoid(a_BGT[rows.lower + t] + add_b);
  }
}

__global__ void gate_backward_kernel(WavenetShape shape, const float* a_BGT, const float* condition_BG, int64_t stride,
                                     const float* grad_BHT, float* grad_a_BGT, float* grad_condition_BG) {
  __shared__ float sums_a[kThreads / kWarp], sums_b[kThreads / kWarp];
  const Rows rows = rows_of(shape, blockIdx.x);
  const float add_a = condition_of(condition_BG, stride, rows.item, rows.channel);
  const float add_b = condition_of(condition_BG, stride, rows.item, rows.channel + shape.hidden);
  float sum_a = 0.0f, sum_b = 0.0f;
  for (int64_t t = threadIdx.x; t < shape.time; t += blockDim.x) {
    const float y = tanhf(a_BGT[rows.upper + t] + add_a);
    const float s = sigmoid(a_BGT[rows.lower + t] + add_b);
    const float weighted = grad_BHT[rows.first + t] * s;
    const float of_a = weighted * (1.0f - y * y);
    const float of_b = weighted * y * (1.0f - s);
    grad_a_BGT[rows.upper + t] = of_a;
    grad_a_BGT[rows.lower + t] = of_b;
    sum_a += of_a;
    sum_b += of_b;
  }
  if (grad_condition_BG == nullptr) return;
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    sum_a += __shfl_down_sync(kAllLanes, sum_a, distance);
    sum_b += __shfl_down_sync(kAllLanes, sum_b, distance);
  }
  if (threadIdx.x % kWarp == 0) {
    sums_a[threadIdx.x / kWarp] = sum_a;
    sums_b[threadIdx.x / kWarp] = sum_b;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    float total_a = 0.0f, total_b = 0.0f;
    for (int warp = 0; warp < kThreads / kWarp; ++warp) {
      total_a += sums_a[warp];
      total_b += sums_b[warp];
    }
    grad_condition_BG[rows.item * 2 * shape.hidden + rows.channel] = total_a;
    grad_condition_BG[rows.item * 2 * shape.hidden + rows.channel + shape.hidden] = total_b;
  }
}

__global__ void residual_kernel(WavenetShape shape, const float* x_BHT, const float* r_BGT, const float* mask_BT,
                                const float* skip_BHT, float* x_next_BHT, float* skip_next_BHT) {
  const Rows rows = rows_of(shape, blockIdx.x);
  for (int64_t t = threadIdx.x; t < shape.time; t += blockDim.x) {
    const int64_t at = rows.first + t;
    x_next_BHT[at] = (x_BHT[at] + r_BGT[rows.upper + t]) * mask_BT[rows.item * shape.time + t];
    const float r = r_BGT[rows.lower + t];
    skip_next_BHT[at] = skip_BHT == nullptr ? r : skip_BHT[at] + r;
  }
}

__global__ void residual_backward_kernel(WavenetShape shape, const float* grad_x_next_BHT, const float* grad_skip_next_BHT,
                                         const float* mask_BT, float* grad_x_BHT, float* grad_r_BGT) {
  const Rows rows = rows_of(shape, blockIdx.x);
  for (int64_t t = threadIdx.x; t < shape.time; t += blockDim.x) {
    const int64_t at = rows.first + t;
    const float of_x = grad_x_next_BHT == nullptr ? 0.0f : grad_x_next_BHT[at] * mask_BT[rows.item * shape.time + t];
    grad_x_BHT[at] = of_x;
    grad_r_BGT[rows.upper + t] = of_x;
    grad_r_BGT[rows.lower + t] = grad_skip_next_BHT == nullptr ? 0.0f : grad_skip_next_BHT[at];
  }
}

const char* outcome() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

bool is_empty(const WavenetShape& shape) { return shape.batch * shape.hidden * shape.time == 0; }

unsigned rows_in(const WavenetShape& shape) { return static_cast<unsigned>(shape.batch * shape.hidden); }

}  // namespace

const char* wavenet_gate_cuda(const WavenetShape& shape, const float* a_BGT, const float* condition_BG,
                              int64_t condition_stride, float* y_BHT, void* stream) {
  if (is_empty(shape)) return nullptr;
  gate_kernel<<<rows_in(shape), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(shape, a_BGT, condition_BG,
                                                                                  condition_stride, y_BHT);
  return outcome();
}

const char* wavenet_gate_backward_cuda(const WavenetShape& shape, const float* a_BGT, const float* condition_BG,
                                       int64_t condition_stride, const float* grad_BHT, float* grad_a_BGT,
                                       float* grad_condition_BG, void* stream) {
  if (is_empty(shape)) return nullptr;
  gate_backward_kernel<<<rows_in(shape), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      shape, a_BGT, condition_BG, condition_stride, grad_BHT, grad_a_BGT, grad_condition_BG);
  return outcome();
}

const char* wavenet_residual_cuda(const WavenetShape& shape, const float* x_BHT, const float* r_BGT, const float* mask_BT,
                                  const float* skip_BHT, float* x_next_BHT, float* skip_next_BHT, void* stream) {
  if (is_empty(shape)) return nullptr;
  residual_kernel<<<rows_in(shape), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(shape, x_BHT, r_BGT, mask_BT, skip_BHT,
                                                                                      x_next_BHT, skip_next_BHT);
  return outcome();
}

const char* wavenet_residual_backward_cuda(const WavenetShape& shape, const float* grad_x_next_BHT,
                                           const float* grad_skip_next_BHT, const float* mask_BT, float* grad_x_BHT,
                                           float* grad_r_BGT, void* stream) {
  if (is_empty(shape)) return nullptr;
  residual_backward_kernel<<<rows_in(shape), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      shape, grad_x_next_BHT, grad_skip_next_BHT, mask_BT, grad_x_BHT, grad_r_BGT);
  return outcome();
}

}  // namespace valetts
