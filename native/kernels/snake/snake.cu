// A block a row, in tiles: what a tile needs of the doubled rate is made once, in shared memory. The gradients of alpha and
// beta are sums within the block, in an order that does not change.
#include <cuda_runtime.h>

#include "snake/snake_raw.h"

namespace valetts {
namespace {

constexpr int kTile = 256;  // samples, and threads
constexpr int kWarp = 32;
constexpr int kBefore = kSnakeTaps / 2 - 1;
constexpr int kBeyond = 3;  // samples beyond either end that reach the outermost one
constexpr int kWide = 2 * kTile + kSnakeTaps;
constexpr unsigned kAllLanes = 0xFFFFFFFFu;

__device__ int64_t within(int64_t index, int64_t count) { return index < 0 ? 0 : index >= count ? count - 1 : index; }

// Sample i of the doubled rate.
__device__ float doubled(const SnakeFilter& filter, const float* x_T, int64_t time, int64_t i) {
  const int64_t last = (i + kBefore) >> 1;
  float sum = 0.0f;
  for (int64_t s = last - kSnakeTaps / 2 + 1; s <= last; ++s) sum += filter.taps[i + kBefore - 2 * s] * x_T[within(s, time)];
  return 2.0f * sum;
}

// The gradient of sample i after the activation.
__device__ float gradient_of(const SnakeFilter& filter, const float* grad_T, int64_t time, int64_t i) {
  const int64_t last = (i + kBefore) >> 1;
  float sum = 0.0f;
  for (int64_t t = last - kSnakeTaps / 2 + 1; t <= last; ++t) {
    if (t >= 0 && t < time) sum += filter.taps[i + kBefore - 2 * t] * grad_T[t];
  }
  // What was read beyond the ends was the outermost value.
  if (i == 0) {
    for (int64_t t = 0; t < kBeyond && t < time; ++t) {
      for (int tap = 0; tap < kBefore - 2 * t; ++tap) sum += filter.taps[tap] * grad_T[t];
    }
  }
  if (i == 2 * time - 1) {
    for (int64_t t = time > kBeyond ? time - kBeyond : 0; t < time; ++t) {
      for (int64_t tap = 2 * (time - t) + kBefore; tap < kSnakeTaps; ++tap) sum += filter.taps[tap] * grad_T[t];
    }
  }
  return sum;
}

__device__ float sum_of_block(float value) {
  __shared__ float sums[kTile / kWarp];
  for (int distance = kWarp / 2; distance > 0; distance /= 2) value += __shfl_down_sync(kAllLanes, value, distance);
  __syncthreads();
  if (threadIdx.x % kWarp == 0) sums[threadIdx.x / kWarp] = value;
  __syncthreads();
  float total = 0.0f;
  for (int warp = 0; warp < kTile / kWarp; ++warp) total += sums[warp];
  return total;
}

__global__ void forward_kernel(SnakeFilter filter, SnakeShape shape, const float* x_BCT, const float* alpha_C,
                               const float* beta_C, float* y_BCT) {
  __shared__ float v[kWide];
  const int64_t channel = blockIdx.x % shape.channels, time = shape.time;
  const float* x_T = x_BCT + blockIdx.x * time;
  const float a = expf(alpha_C[channel]), inverse = 1.0f / (expf(beta_C[channel]) + 1e-9f);
  for (int64_t first = 0; first < time; first += kTile) {
    for (int j = threadIdx.x; j < kWide; j += kTile) {
      const float u = doubled(filter, x_T, time, within(2 * first + j - kBefore, 2 * time));
      const float sine = sinf(a * u);
      v[j] = u + inverse * (sine * sine);
    }
    __syncthreads();
    const int64_t t = first + threadIdx.x;
    if (t < time) {
      float sum = 0.0f;
      for (int tap = 0; tap < kSnakeTaps; ++tap) sum += filter.taps[tap] * v[2 * threadIdx.x + tap];
      y_BCT[blockIdx.x * time + t] = sum;
    }
    __syncthreads();
  }
}

__global__ void backward_kernel(SnakeFilter filter, SnakeShape shape, const float* x_BCT, const float* alpha_C,
                                const float* beta_C, const float* grad_BCT, float* grad_x_BCT, float* grad_alpha_BC,
                                float* grad_beta_BC) {
  __shared__ float of_u[kWide];
  const int64_t channel = blockIdx.x % shape.channels, time = shape.time;
  const float *x_T = x_BCT + blockIdx.x * time, *grad_T = grad_BCT + blockIdx.x * time;
  const float a = expf(alpha_C[channel]), b = expf(beta_C[channel]), inverse = 1.0f / (b + 1e-9f);
  float of_alpha = 0.0f, of_beta = 0.0f;
  for (int64_t first = 0; first < time; first += kTile) {
    for (int j = threadIdx.x; j < kWide; j += kTile) {
      const int64_t i = 2 * first + j - kBefore;
      of_u[j] = 0.0f;
      if (i < 0 || i >= 2 * time) continue;
      const float u = doubled(filter, x_T, time, i);
      const float of_v = gradient_of(filter, grad_T, time, i);
      const float sine = sinf(a * u), turn = inverse * sinf(2.0f * a * u);
      of_u[j] = of_v * (1.0f + a * turn);
      if (j >= kBefore && j < kBefore + 2 * kTile) {
        of_alpha += of_v * turn * a * u;
        of_beta -= of_v * inverse * inverse * b * sine * sine;
      }
    }
    __syncthreads();
    const int64_t t = first + threadIdx.x;
    if (t < time) {
      const int64_t low = t == 0 ? -kBeyond : t, high = t == time - 1 ? time - 1 + kBeyond : t;
      float sum = 0.0f;
      for (int64_t s = low; s <= high; ++s) {
        for (int tap = 0; tap < kSnakeTaps; ++tap) {
          const int64_t j = 2 * (s - first) + tap;  // sample i = 2 s + tap - kBefore
          if (j >= 0 && j < kWide) sum += filter.taps[tap] * of_u[j];
        }
      }
      grad_x_BCT[blockIdx.x * time + t] = 2.0f * sum;
    }
    __syncthreads();
  }
  const float total_alpha = sum_of_block(of_alpha), total_beta = sum_of_block(of_beta);
  if (threadIdx.x == 0) {
    grad_alpha_BC[blockIdx.x] = total_alpha;
    grad_beta_BC[blockIdx.x] = total_beta;
  }
}

const char* outcome() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

bool is_empty(const SnakeShape& shape) { return shape.batch * shape.channels * shape.time == 0; }

unsigned rows_in(const SnakeShape& shape) { return static_cast<unsigned>(shape.batch * shape.channels); }

}  // namespace

const char* snake_cuda(const SnakeFilter& filter, const SnakeShape& shape, const float* x_BCT, const float* alpha_C,
                       const float* beta_C, float* y_BCT, void* stream) {
  if (is_empty(shape)) return nullptr;
  forward_kernel<<<rows_in(shape), kTile, 0, static_cast<cudaStream_t>(stream)>>>(filter, shape, x_BCT, alpha_C, beta_C,
                                                                                  y_BCT);
  return outcome();
}

const char* snake_backward_cuda(const SnakeFilter& filter, const SnakeShape& shape, const float* x_BCT, const float* alpha_C,
                                const float* beta_C, const float* grad_BCT, float* grad_x_BCT, float* grad_alpha_BC,
                                float* grad_beta_BC, void* stream) {
  if (is_empty(shape)) return nullptr;
  backward_kernel<<<rows_in(shape), kTile, 0, static_cast<cudaStream_t>(stream)>>>(
      filter, shape, x_BCT, alpha_C, beta_C, grad_BCT, grad_x_BCT, grad_alpha_BC, grad_beta_BC);
  return outcome();
}

}  // namespace valetts
