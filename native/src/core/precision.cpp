#include "core/precision.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>

#include "core/check.h"

namespace valetts {

const char* name_of(Precision precision) {
  switch (precision) {
    case Precision::kFp32: return "fp32";
    case Precision::kTf32: return "tf32";
    case Precision::kBf16: return "bf16";
    case Precision::kFp16: return "fp16";
    case Precision::kFp64: return "fp64";
  }
  return "unknown";
}

at::ScalarType parameter_type(Precision precision) { return precision == Precision::kFp64 ? at::kDouble : at::kFloat; }

void check_precision(Precision precision, at::Device device) {
  VT_CHECK_ARG(precision != Precision::kTf32 || device.is_cuda(),
               "precision tf32 is a mode of NVIDIA's tensor cores; on the device ", device.str(), " use fp32 or bf16");
}

PrecisionScope::PrecisionScope(at::Device device, Precision precision)
    : device_type_(device.type()), lowered_(precision == Precision::kBf16 || precision == Precision::kFp16) {
  if (device.is_cuda()) {
    at::globalContext().setAllowTF32CuBLAS(precision == Precision::kTf32);
    at::globalContext().setAllowTF32CuDNN(precision == Precision::kTf32);
  }
  if (!lowered_) return;
  outer_enabled_ = at::autocast::is_autocast_enabled(device_type_);
  outer_type_ = at::autocast::get_autocast_dtype(device_type_);
  at::autocast::set_autocast_dtype(device_type_, precision == Precision::kBf16 ? at::kBFloat16 : at::kHalf);
  at::autocast::set_autocast_enabled(device_type_, true);
  at::autocast::increment_nesting();
}

PrecisionScope::~PrecisionScope() {
  if (!lowered_) return;
  // Lowered copies of the parameters are kept for one pass only: the next one sees updated weights.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_type_, outer_enabled_);
  at::autocast::set_autocast_dtype(device_type_, outer_type_);
}

FullPrecisionIsland::FullPrecisionIsland() : guard_(c10::autocast_dispatch_keyset) {}

at::Tensor widened(const at::Tensor& x) {
  if (!x.defined()) return x;
  const at::ScalarType type = x.scalar_type();
  return type == at::kHalf || type == at::kBFloat16 ? x.to(at::kFloat) : x;
}

}  // namespace valetts
