// A warp a row: its lanes take the keys in turn, and the row stays in the first-level cache between the passes. Sums are in an
// order that does not change.
#include <cuda_runtime.h>

#include "attention/attention_raw.h"

namespace valetts {
namespace {

constexpr int kWarp = 32;
constexpr int kRows = 8;  // of a block, a warp each
constexpr unsigned kAllLanes = 0xFFFFFFFFu;

struct Row {
  int64_t index;  // in [B,h,T]
  int64_t item;
  int64_t query;
  int64_t keep;  // where its keep mask begins in [B,T,h,T]
};

__device__ Row row_of(const AttentionShape& shape) {
  const int64_t index = static_cast<int64_t>(blockIdx.x) * kRows + threadIdx.y;
  const int64_t query = index % shape.time, head = index / shape.time % shape.heads;
  const int64_t item = index / (shape.time * shape.heads);
  return {index, item, query, ((item * shape.time + query) * shape.heads + head) * shape.time};
}

__device__ float over_lanes_largest(float value) {
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, distance));
  }
  return value;
}

__device__ float over_lanes_sum(float value) {
  for (int distance = kWarp / 2; distance > 0; distance /= 2) value += __shfl_xor_sync(kAllLanes, value, distance);
  return value;
}

__device__ void diagonals_of(const AttentionShape& shape, int64_t query, const float* from_T, float* to_W) {
  for (int64_t j = threadIdx.x; j <= 2 * shape.window; j += kWarp) {
    const int64_t s = query + j - shape.window;
    to_W[j] = s >= 0 && s < shape.time ? from_T[s] : 0.0f;
  }
}

__global__ void weights_kernel(AttentionShape shape, const float* scores_BhTT, const float* band_BhTW, const float* mask_BT,
                               const float* keep_BThT, float* p_BhTT, float* weights_BhTT, float* diagonals_BhTW) {
  const Row row = row_of(shape);
  if (row.index >= shape.batch * shape.heads * shape.time) return;
  const int64_t width = 2 * shape.window + 1;
  const float* scores_T = scores_BhTT + row.index * shape.time;
  const float* mask_T = mask_BT + row.item * shape.time;
  float* p_T = p_BhTT + row.index * shape.time;
  float* weights_T = weights_BhTT + row.index * shape.time;
  const bool valid = mask_T[row.query] != 0.0f;
  float largest = -INFINITY;
  for (int64_t s = threadIdx.x; s < shape.time; s += kWarp) {
    float logit = scores_T[s];
    const int64_t j = s - row.query + shape.window;
    if (band_BhTW != nullptr && j >= 0 && j < width) logit += band_BhTW[row.index * width + j];
    logit = valid && mask_T[s] != 0.0f ? logit * shape.scale : kMaskedLogit;
    p_T[s] = logit;
    largest = fmaxf(largest, logit);
  }
  largest = over_lanes_largest(largest);
  float sum = 0.0f;
  for (int64_t s = threadIdx.x; s < shape.time; s += kWarp) {
    const float value = expf(p_T[s] - largest);
    p_T[s] = value;
    sum += value;
  }
  const float inverse = 1.0f / over_lanes_sum(sum);
  for (int64_t s = threadIdx.x; s < shape.time; s += kWarp) {
    const float p = p_T[s] * inverse;
    p_T[s] = p;
    if (keep_BThT != nullptr) weights_T[s] = p * keep_BThT[row.keep + s];
  }
  if (diagonals_BhTW == nullptr) return;
  __syncwarp();
  diagonals_of(shape, row.query, weights_T, diagonals_BhTW + row.index * width);
}

__global__ void weights_backward_kernel(AttentionShape shape, const float* p_BhTT, const float* mask_BT, const float* keep_BThT,
                                        const float* grad_weights_BhTT, const float* grad_diagonals_BhTW,
                                        float* grad_scores_BhTT, float* grad_band_BhTW) {
  const Row row = row_of(shape);
  if (row.index >= shape.batch * shape.heads * shape.time) return;
  const int64_t width = 2 * shape.window + 1;
  const float* p_T = p_BhTT + row.index * shape.time;
  const float* mask_T = mask_BT + row.item * shape.time;
  float* to_T = grad_scores_BhTT + row.index * shape.time;
  float product = 0.0f;
  for (int64_t s = threadIdx.x; s < shape.time; s += kWarp) {
    float grad = grad_weights_BhTT == nullptr ? 0.0f : grad_weights_BhTT[row.index * shape.time + s];
    const int64_t j = s - row.query + shape.window;
    if (grad_diagonals_BhTW != nullptr && j >= 0 && j < width) grad += grad_diagonals_BhTW[row.index * width + j];
    if (keep_BThT != nullptr) grad *= keep_BThT[row.keep + s];
    to_T[s] = grad;
    product += grad * p_T[s];
  }
  const float dot = over_lanes_sum(product);
  const bool valid = mask_T[row.query] != 0.0f;
  for (int64_t s = threadIdx.x; s < shape.time; s += kWarp) {
    to_T[s] = valid && mask_T[s] != 0.0f ? p_T[s] * (to_T[s] - dot) * shape.scale : 0.0f;
  }
  if (grad_band_BhTW == nullptr) return;
  __syncwarp();
  diagonals_of(shape, row.query, to_T, grad_band_BhTW + row.index * width);
}

const char* outcome() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

int64_t rows_in(const AttentionShape& shape) { return shape.batch * shape.heads * shape.time; }

unsigned blocks_for(const AttentionShape& shape) { return static_cast<unsigned>((rows_in(shape) + kRows - 1) / kRows); }

}  // namespace

const char* attention_cuda(const AttentionShape& shape, const float* scores_BhTT, const float* band_BhTW, const float* mask_BT,
                           const float* keep_BThT, float* p_BhTT, float* weights_BhTT, float* diagonals_BhTW, void* stream) {
  if (rows_in(shape) == 0) return nullptr;
  weights_kernel<<<blocks_for(shape), dim3(kWarp, kRows), 0, static_cast<cudaStream_t>(stream)>>>(
      shape, scores_BhTT, band_BhTW, mask_BT, keep_BThT, p_BhTT, weights_BhTT, diagonals_BhTW);
  return outcome();
}

const char* attention_backward_cuda(const AttentionShape& shape, const float* p_BhTT, const float* mask_BT,
                                    const float* keep_BThT, const float* grad_weights_BhTT, const float* grad_diagonals_BhTW,
                                    float* grad_scores_BhTT, float* grad_band_BhTW, void* stream) {
  if (rows_in(shape) == 0) return nullptr;
  weights_backward_kernel<<<blocks_for(shape), dim3(kWarp, kRows), 0, static_cast<cudaStream_t>(stream)>>>(
      shape, p_BhTT, mask_BT, keep_BThT, grad_weights_BhTT, grad_diagonals_BhTW, grad_scores_BhTT, grad_band_BhTW);
  return outcome();
}

}  // namespace valetts
