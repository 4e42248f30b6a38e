// A thread a value; sums are in float32 whatever the tensors hold.
#include <cuda_runtime.h>

#include <type_traits>

#include "core/value_type.cuh"
#include "epilogue/epilogue_raw.h"

namespace valetts {
namespace {

constexpr int kThreads = 256;

__device__ float activation(float v, float slope) {
  if (slope == 0.0f) return v < 0.0f ? 0.0f : v;  // NaN stays
  return v > 0.0f ? v : v * slope;
}

__device__ float slope_at(float activated, float slope) { return activated > 0.0f ? 1.0f : slope; }

__device__ int64_t place() { return static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; }

__device__ int64_t values_in(const EpilogueShape& shape) { return shape.batch * shape.channels * shape.time; }

// keep and mask of value i.
__device__ float factor(const EpilogueShape& shape, const float* keep, const float* mask_BT, int64_t i) {
  float out = keep == nullptr ? 1.0f : keep[i];
  if (mask_BT != nullptr) out *= mask_BT[i / (shape.channels * shape.time) * shape.time + i % shape.time];
  return out;
}

template <typename Value>
__global__ void activation_kernel(EpilogueShape shape, const Value* x, const float* bias_C, float slope, const float* keep,
                                  const float* mask_BT, Value* y) {
  const int64_t i = place();
  if (i >= values_in(shape)) return;
  const float bias = bias_C == nullptr ? 0.0f : bias_C[i / shape.time % shape.channels];
  y[i] = narrow<Value>(activation(wide(x[i]) + bias, slope) * factor(shape, keep, mask_BT, i));
}

template <typename Value>
__global__ void activation_backward_kernel(EpilogueShape shape, const Value* y, float slope, const float* keep,
                                           const float* mask_BT, const Value* grad, Value* grad_x) {
  const int64_t i = place();
  if (i >= values_in(shape)) return;
  grad_x[i] = narrow<Value>(wide(grad[i]) * factor(shape, keep, mask_BT, i) * slope_at(wide(y[i]), slope));
}

template <typename X, typename Y>
__global__ void residual_kernel(EpilogueShape shape, const X* x, const Y* y, float slope, const float* keep,
                                const float* mask_BT, X* sum, X* rectified) {
  const int64_t i = place();
  if (i >= values_in(shape)) return;
  const float total = wide(x[i]) + wide(y[i]) * factor(shape, keep, mask_BT, i);
  sum[i] = narrow<X>(total);
  if (rectified != nullptr) rectified[i] = narrow<X>(activation(total, slope));
}

template <typename X, typename Y>
__global__ void residual_backward_kernel(EpilogueShape shape, const X* rectified, float slope, const float* keep,
                                         const float* mask_BT, const X* grad_sum, const X* grad_rectified, X* grad_x,
                                         Y* grad_y) {
  const int64_t i = place();
  if (i >= values_in(shape)) return;
  float grad = grad_sum == nullptr ? 0.0f : wide(grad_sum[i]);
  if (grad_rectified != nullptr) grad += wide(grad_rectified[i]) * slope_at(wide(rectified[i]), slope);
  grad_x[i] = narrow<X>(grad);
  if (grad_y != nullptr) grad_y[i] = narrow<Y>(grad * factor(shape, keep, mask_BT, i));
}

template <typename Value>
__global__ void mean_kernel(int64_t values, MeanDeviceInputs in, float slope, Value* rectified) {
  const int64_t i = place();
  if (i >= values) return;
  float sum = 0.0f;
  for (int k = 0; k < in.count; ++k) {
    sum += wide(static_cast<const Value*>(in.x[k])[i]) + wide(static_cast<const Value*>(in.y[k])[i]);
  }
  rectified[i] = narrow<Value>(activation(sum / static_cast<float>(in.count), slope));
}

template <typename Value>
__global__ void mean_backward_kernel(int64_t values, int count, float slope, const Value* rectified, const Value* grad,
                                     Value* to) {
  const int64_t i = place();
  if (i >= values) return;
  to[i] = narrow<Value>(wide(grad[i]) * slope_at(wide(rectified[i]), slope) / static_cast<float>(count));
}

const char* outcome() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

unsigned blocks_for(int64_t values) { return static_cast<unsigned>((values + kThreads - 1) / kThreads); }

int64_t count_of(const EpilogueShape& shape) { return shape.batch * shape.channels * shape.time; }

// The types of x and y: float32 beside any, or both the same.
template <typename Work>
const char* with_types(ValueType of_x, ValueType of_y, const Work& work) {
  if (of_x == ValueType::kFloat) {
    return with_type(of_y, [&](auto* y) { return work(static_cast<float*>(nullptr), y); });
  }
  if (of_x != of_y) return "a half precision sum of values of another type";
  return with_type(of_x, [&](auto* y) { return work(y, y); });
}

}  // namespace

const char* activation_cuda(const EpilogueShape& shape, ValueType type, const void* x, const float* bias_C, float slope,
                            const float* keep, const float* mask_BT, void* y, void* stream) {
  if (count_of(shape) == 0) return nullptr;
  return with_type(type, [&](auto* of_type) {
    using Value = std::remove_pointer_t<decltype(of_type)>;
    activation_kernel<<<blocks_for(count_of(shape)), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
        shape, static_cast<const Value*>(x), bias_C, slope, keep, mask_BT, static_cast<Value*>(y));
    return outcome();
  });
}

const char* activation_backward_cuda(const EpilogueShape& shape, ValueType type, const void* y, float slope,
                                     const float* keep, const float* mask_BT, const void* grad, void* grad_x, void* stream) {
  if (count_of(shape) == 0) return nullptr;
  return with_type(type, [&](auto* of_type) {
    using Value = std::remove_pointer_t<decltype(of_type)>;
    activation_backward_kernel<<<blocks_for(count_of(shape)), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
        shape, static_cast<const Value*>(y), slope, keep, mask_BT, static_cast<const Value*>(grad), static_cast<Value*>(grad_x));
    return outcome();
  });
}

const char* residual_cuda(const EpilogueShape& shape, ValueType type_of_x, ValueType type_of_y, const void* x,
                          const void* y, float slope, const float* keep, const float* mask_BT, void* sum, void* rectified,
                          void* stream) {
  if (count_of(shape) == 0) return nullptr;
  return with_types(type_of_x, type_of_y, [&](auto* of_x, auto* of_y) {
    using X = std::remove_pointer_t<decltype(of_x)>;
    using Y = std::remove_pointer_t<decltype(of_y)>;
    residual_kernel<<<blocks_for(count_of(shape)), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
        shape, static_cast<const X*>(x), static_cast<const Y*>(y), slope, keep, mask_BT, static_cast<X*>(sum),
        static_cast<X*>(rectified));
    return outcome();
  });
}

const char* residual_backward_cuda(const EpilogueShape& shape, ValueType type_of_x, ValueType type_of_y,
                                   const void* rectified, float slope, const float* keep, const float* mask_BT,
                                   const void* grad_sum, const void* grad_rectified, void* grad_x, void* grad_y, void* stream) {
  if (count_of(shape) == 0) return nullptr;
  return with_types(type_of_x, type_of_y, [&](auto* of_x, auto* of_y) {
    using X = std::remove_pointer_t<decltype(of_x)>;
    using Y = std::remove_pointer_t<decltype(of_y)>;
    residual_backward_kernel<<<blocks_for(count_of(shape)), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
        shape, static_cast<const X*>(rectified), slope, keep, mask_BT, static_cast<const X*>(grad_sum),
        static_cast<const X*>(grad_rectified), static_cast<X*>(grad_x), static_cast<Y*>(grad_y));
    return outcome();
  });
}

const char* mean_cuda(int64_t values, ValueType type, const MeanDeviceInputs& in, float slope, void* rectified,
                      void* stream) {
  if (values == 0) return nullptr;
  return with_type(type, [&](auto* of_type) {
    using Value = std::remove_pointer_t<decltype(of_type)>;
    mean_kernel<<<blocks_for(values), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(values, in, slope,
                                                                                        static_cast<Value*>(rectified));
    return outcome();
  });
}

const char* mean_backward_cuda(int64_t values, ValueType type, int count, float slope, const void* rectified,
                               const void* grad, void* to, void* stream) {
  if (values == 0) return nullptr;
  return with_type(type, [&](auto* of_type) {
    using Value = std::remove_pointer_t<decltype(of_type)>;
    mean_backward_kernel<<<blocks_for(values), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
        values, count, slope, static_cast<const Value*>(rectified), static_cast<const Value*>(grad), static_cast<Value*>(to));
    return outcome();
  });
}

}  // namespace valetts
