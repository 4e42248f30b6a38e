// Where a hand-written operation runs, for the tensor faces under native/kernels.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "core/check.h"
#include "core/path.h"
#include "core/value_type.h"

#ifdef VALETTS_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace valetts {

// Whether operations on this tensor's device take their hand-written form on this thread.
inline bool takes_kernel(const at::Tensor& x) {
  if (on_plain_path()) return false;
#ifdef VALETTS_CUDA
  if (x.is_cuda()) return gpu_path() != GpuPath::kPlain;
#endif
  return x.is_cpu();
}

// Runs `launch(stream)` on a CUDA tensor's device and stream; what it returns is null, or what is wrong. Errors:
// INVALID_ARGUMENT with the operation's name.
template <typename Launch>
void launch_kernel([[maybe_unused]] const char* operation, [[maybe_unused]] const at::Tensor& x,
                   [[maybe_unused]] const Launch& launch) {
#ifdef VALETTS_CUDA
  const c10::cuda::CUDAGuard guard(x.device());
  const char* problem = launch(c10::cuda::getCurrentCUDAStream(x.device().index()).stream());
  VT_CHECK_ARG(problem == nullptr, operation, " on ", x.device().str(), ": ", problem);
#endif
}

// Whether a tensor's values are of a type that kernels for all precisions take: float32, and on a GPU half precision too.
inline bool is_float_or_half(const at::Tensor& x) {
  if (x.scalar_type() == at::kFloat) return true;
  return x.is_cuda() && (x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16);
}

// Of such a tensor.
inline ValueType value_type_of(const at::Tensor& x) {
  if (x.scalar_type() == at::kHalf) return ValueType::kHalf;
  return x.scalar_type() == at::kBFloat16 ? ValueType::kBfloat16 : ValueType::kFloat;
}

// An undefined tensor is no argument of an autograd function; an absent one is.
inline std::optional<at::Tensor> if_defined(const at::Tensor& x) { return x.defined() ? std::optional(x) : std::nullopt; }

// The values of a float32 tensor; null where it is undefined.
inline const float* values_of(const at::Tensor& x) { return x.defined() ? x.const_data_ptr<float>() : nullptr; }

}  // namespace valetts
