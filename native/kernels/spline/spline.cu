// A block an item, a thread an element at a time: the log-determinant is a sum within the block, in an order that does not
// change.
#include <cuda_runtime.h>

#include "spline/spline_element.h"

namespace valetts {
namespace {

constexpr int kThreads = 256;
constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xFFFFFFFFu;

__global__ void forward_kernel(SplineOptions options, SplineShape shape, const float* x_BT, const float* h_BPT,
                               const float* mask_BT, float* y_BT, float* log_B) {
  __shared__ float sums[kThreads / kWarp];
  const int64_t item = blockIdx.x;
  const float* h_PT = h_BPT + item * (3 * options.bins - 1) * shape.time;
  float sum = 0.0f;
  for (int64_t t = threadIdx.x; t < shape.time; t += kThreads) {
    const int64_t at = item * shape.time + t;
    float log_derivative;
    spline::forward<float>(options, x_BT[item * shape.x_stride + t], h_PT + t, shape.time, mask_BT[at], y_BT + at,
                           &log_derivative);
    sum += log_derivative;
  }
  for (int distance = kWarp / 2; distance > 0; distance /= 2) sum += __shfl_down_sync(kAllLanes, sum, distance);
  if (threadIdx.x % kWarp == 0) sums[threadIdx.x / kWarp] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    float total = 0.0f;
    for (int warp = 0; warp < kThreads / kWarp; ++warp) total += sums[warp];
    log_B[item] = total;
  }
}

__global__ void backward_kernel(SplineOptions options, SplineShape shape, const float* x_BT, const float* h_BPT,
                                const float* mask_BT, const float* grad_y_BT, const float* grad_log_B, float* grad_x_BT,
                                float* grad_h_BPT) {
  const int64_t element = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (element >= shape.batch * shape.time) return;
  const int64_t item = element / shape.time, t = element % shape.time;
  const int64_t first = item * (3 * options.bins - 1) * shape.time + t;
  spline::backward<float>(options, x_BT[item * shape.x_stride + t], h_BPT + first, shape.time, mask_BT[element],
                          grad_y_BT == nullptr ? 0.0f : grad_y_BT[element], grad_log_B == nullptr ? 0.0f : grad_log_B[item],
                          grad_x_BT + element, grad_h_BPT + first);
}

const char* outcome() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace

const char* spline_cuda(const SplineOptions& options, const SplineShape& shape, const float* x_BT, const float* h_BPT,
                        const float* mask_BT, float* y_BT, float* log_B, void* stream) {
  if (shape.batch == 0) return nullptr;
  forward_kernel<<<static_cast<unsigned>(shape.batch), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      options, shape, x_BT, h_BPT, mask_BT, y_BT, log_B);
  return outcome();
}

const char* spline_backward_cuda(const SplineOptions& options, const SplineShape& shape, const float* x_BT,
                                 const float* h_BPT, const float* mask_BT, const float* grad_y_BT, const float* grad_log_B,
                                 float* grad_x_BT, float* grad_h_BPT, void* stream) {
  const int64_t elements = shape.batch * shape.time;
  if (elements == 0) return nullptr;
  backward_kernel<<<static_cast<unsigned>((elements + kThreads - 1) / kThreads), kThreads, 0,
                    static_cast<cudaStream_t>(stream)>>>(options, shape, x_BT, h_BPT, mask_BT, grad_y_BT, grad_log_B, grad_x_BT,
                                                         grad_h_BPT);
  return outcome();
}

}  // namespace valetts
