// The tensor face: checks, and the blocks shared out among the threads.
#include "winograd/winograd.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include "core/check.h"
#include "core/module_scope.h"

namespace valetts {
namespace {

const float* data_of(const at::Tensor& tensor) { return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr; }

bool is_slope(double slope) { return slope >= 0.0 && slope <= 1.0; }

void check_like(const at::Tensor& given, at::IntArrayRef sizes, const char* name) {
  VT_CHECK_ARG(given.is_cpu() && given.scalar_type() == at::kFloat && given.is_contiguous() && given.sizes() == sizes,
               "winograd: ", name, " must be contiguous float32 ", sizes, " on the CPU, not ", given.toString(), " ",
               given.sizes(), given.is_contiguous() ? "" : ", not contiguous");
}

}  // namespace

WinogradVectors winograd_vectors() {
#if defined(__x86_64__)
  // libtorch's choice counts too, which ATEN_CPU_CAPABILITY can hold down.
  static const WinogradVectors found = [] {
    const std::string of_libtorch = at::get_cpu_capability();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    if (avx512 && of_libtorch == "AVX512") return WinogradVectors::kAvx512;
    return avx2 && of_libtorch.compare(0, 3, "AVX") == 0 ? WinogradVectors::kAvx2 : WinogradVectors::kNone;
  }();
  return found;
#else
  return WinogradVectors::kNone;
#endif
}

bool WinogradConv::serves(int64_t kernel, int64_t dilation, int64_t padding) {
  return kernel >= kWinogradMinKernel && kernel <= kWinogradMaxKernel && dilation >= 1 && padding >= 0 &&
         padding <= (kernel - 1) * dilation;
}

WinogradConv::WinogradConv(const at::Tensor& weight_OIK, const at::Tensor& bias_O, int64_t dilation, int64_t padding,
                           WinogradVectors vectors)
    : dilation_(dilation), padding_(padding), vectors_(vectors) {
  VT_CHECK_ARG(weight_OIK.dim() == 3 && weight_OIK.numel() > 0 && weight_OIK.is_cpu() && weight_OIK.scalar_type() == at::kFloat,
               "winograd: a float32 weight [out, in, taps] on the CPU expected, not ", weight_OIK.toString(), " ",
               weight_OIK.sizes());
  out_ = weight_OIK.size(0);
  in_ = weight_OIK.size(1);
  kernel_ = weight_OIK.size(2);
  VT_CHECK_ARG(serves(kernel_, dilation, padding), "winograd: ", kernel_, " taps with dilation ", dilation, " and padding ",
               padding, "; ", kWinogradMinKernel, " to ", kWinogradMaxKernel,
               " taps are served, with no more padding than they reach");
  if (bias_O.defined()) {
    check_like(bias_O, {out_}, "bias");
    bias_O_ = bias_O.detach().clone();
  }
  const at::Tensor plain = weight_OIK.detach().contiguous();
  if (vectors_ == WinogradVectors::kNone) {
    weights_ = plain.clone();
    return;
  }
  weights_ = at::empty({winograd_packed_size(vectors_, in_, out_, kernel_)}, plain.options());
  const float* from = plain.const_data_ptr<float>();
  auto* to = weights_.mutable_data_ptr<float>();
  at::parallel_for(0, in_, 8, [&](int64_t begin, int64_t end) {
    winograd_pack(vectors_, from, in_, out_, kernel_, begin, end, to);
  });
}

void WinogradConv::run(const WinogradSpan& span, const float* x_BTC, const WinogradFusion& fusion, float* y_BTC) const {
  const WinogradConvolution convolution{in_, out_, kernel_, dilation_, padding_, data_of(weights_), data_of(bias_O_)};
  if (vectors_ == WinogradVectors::kNone) {
    winograd_convolution(convolution, data_of(weights_), fusion, span, x_BTC, y_BTC);
    return;
  }
  const int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
  const WinogradBlocks blocks = winograd_blocks(vectors_, convolution, span, threads);
  at::parallel_for(0, blocks.count, 1, [&](int64_t begin, int64_t end) {
    const at::Tensor work = at::empty({blocks.work_size}, at::kFloat);
    for (int64_t block = begin; block < end; ++block) {
      winograd_block(vectors_, convolution, fusion, blocks, block, x_BTC, y_BTC, work.mutable_data_ptr<float>());
    }
  });
}

void WinogradConv::into(at::Tensor& y_BTC, const at::Tensor& x_BTC, const WinogradPasses& passes) const {
  VT_PROFILED_KERNEL("valetts::winograd", x_BTC, weights_);
  VT_CHECK_ARG(x_BTC.dim() == 3, "winograd: [batch, time, channels] expected, not ", x_BTC.sizes());
  const int64_t batch = x_BTC.size(0), time = x_BTC.size(1);
  check_like(x_BTC, {batch, time, in_}, "x");
  check_like(y_BTC, {batch, time, out_}, "y");
  if (passes.residual_BTC.defined()) check_like(passes.residual_BTC, y_BTC.sizes(), "the residual");
  if (passes.sum_BTC.defined()) check_like(passes.sum_BTC, y_BTC.sizes(), "the sum");
  VT_CHECK_ARG(is_slope(passes.input_slope) && is_slope(passes.output_slope), "winograd: slopes ", passes.input_slope, " and ",
               passes.output_slope, ", each must be in [0, 1]");
  VT_CHECK_ARG(!x_BTC.is_alias_of(y_BTC), "winograd: y must not be x");
  if (y_BTC.numel() == 0) return;
  const WinogradFusion fusion{static_cast<float>(passes.input_slope), data_of(passes.residual_BTC), data_of(passes.sum_BTC),
                              static_cast<float>(passes.scale), static_cast<float>(passes.output_slope)};
  run({batch, time}, data_of(x_BTC), fusion, y_BTC.mutable_data_ptr<float>());
}

at::Tensor WinogradConv::operator()(const at::Tensor& x_BTC, const WinogradPasses& passes) const {
  VT_CHECK_ARG(x_BTC.dim() == 3, "winograd: [batch, time, channels] expected, not ", x_BTC.sizes());
  at::Tensor y_BTC = at::empty({x_BTC.size(0), x_BTC.size(1), out_}, x_BTC.options());
  into(y_BTC, x_BTC, passes);
  return y_BTC;
}

}  // namespace valetts
