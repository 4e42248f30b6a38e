// In which arithmetic a pass runs: mixed precision by libtorch's autocast, and the parts that must stay in float32.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <string>

namespace valetts {

// The values of vt_precision. kFp64 is for checks of the arithmetic itself: parameters are float64.
enum class Precision { kFp32 = 0, kTf32 = 1, kBf16 = 2, kFp16 = 3, kFp64 = 4 };

const char* name_of(Precision precision);
// The type in which parameters are kept: float64 for kFp64, else float32.
at::ScalarType parameter_type(Precision precision);
// Errors: INVALID_ARGUMENT if the device cannot compute so (TF32 is a mode of CUDA's tensor cores).
void check_precision(Precision precision, at::Device device);

// While it lives, convolutions and matrix products on this thread run in `precision`; afterwards as before. TF32 is on for
// kTf32 alone (fp32 means fp32) and stays as set, so that the backward pass, which runs outside, computes alike.
class PrecisionScope {
 public:
  PrecisionScope(at::Device device, Precision precision);
  ~PrecisionScope();
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  c10::DeviceType device_type_;
  bool lowered_;
  bool outer_enabled_ = false;
  at::ScalarType outer_type_ = at::kFloat;
};

// While it lives, nothing on this thread is lowered: for arithmetic that half precision would spoil. Inputs that are
// already half are to be `widened` first.
class FullPrecisionIsland {
 public:
  FullPrecisionIsland();

 private:
  c10::impl::ExcludeDispatchKeyGuard guard_;
};

// float16 and bfloat16 as float32; anything else, undefined tensors included, as it is.
at::Tensor widened(const at::Tensor& x);

}  // namespace valetts
