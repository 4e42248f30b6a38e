// Arithmetic in float32 on values of any type, and the choice of a kernel by type.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "core/value_type.h"

namespace valetts {

__device__ inline float wide(float x) { return x; }
__device__ inline float wide(__half x) { return __half2float(x); }
__device__ inline float wide(__nv_bfloat16 x) { return __bfloat162float(x); }

template <typename Value>
__device__ inline Value narrow(float x);
template <>
__device__ inline float narrow<float>(float x) {
  return x;
}
template <>
__device__ inline __half narrow<__half>(float x) {
  return __float2half(x);
}
template <>
__device__ inline __nv_bfloat16 narrow<__nv_bfloat16>(float x) {
  return __float2bfloat16(x);
}

// Calls `work` with a null pointer of the type; its answer is null, or what is wrong.
template <typename Work>
const char* with_type(ValueType type, const Work& work) {
  switch (type) {
    case ValueType::kFloat: return work(static_cast<float*>(nullptr));
    case ValueType::kHalf: return work(static_cast<__half*>(nullptr));
    case ValueType::kBfloat16: return work(static_cast<__nv_bfloat16*>(nullptr));
  }
  return "a type that is neither float32 nor half precision";
}

}  // namespace valetts
