// The tensor face of the masked spline: checks, choice of path, and the node of the gradient.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "core/check.h"
#include "core/module_scope.h"
#include "core/path.h"
#include "spline/spline.h"
#include "spline/spline_raw.h"

#ifdef VALETTS_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace valetts {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool on_fused_path(const at::Tensor& x) {
  if (on_plain_path()) return false;
#ifdef VALETTS_CUDA
  if (x.is_cuda()) return gpu_path() != GpuPath::kPlain;
#endif
  return x.is_cpu();
}

const float* data_of(const at::Tensor& x) { return x.defined() ? x.const_data_ptr<float>() : nullptr; }

SplineShape shape_of(const at::Tensor& x_B1T) { return {x_B1T.size(0), x_B1T.size(2), x_B1T.stride(0)}; }

SplineOptions options_of(const at::Tensor& h_BPT, double logit_scale, bool inverse, double tail_bound) {
  return {(h_BPT.size(1) + 1) / 3, static_cast<float>(logit_scale), static_cast<float>(tail_bound), inverse};
}

#ifdef VALETTS_CUDA
// Runs `launch` with the tensor's device and stream.
template <typename Launch>
void on_device(const at::Tensor& x, const Launch& launch) {
  const c10::cuda::CUDAGuard guard(x.device());
  const char* problem = launch(c10::cuda::getCurrentCUDAStream(x.device().index()).stream());
  VT_CHECK_ARG(problem == nullptr, "spline on ", x.device().str(), ": ", problem);
}
#endif

struct Spline : torch::autograd::Function<Spline> {
  static variable_list forward(AutogradContext* context, const at::Tensor& x_B1T, const at::Tensor& h_BPT,
                               const at::Tensor& mask_B1T, double logit_scale, bool inverse, double tail_bound) {
    VT_PROFILED_KERNEL("valetts::spline", x_B1T, h_BPT, mask_B1T);
    context->save_for_backward({x_B1T, h_BPT, mask_B1T});
    context->set_materialize_grads(false);
    context->saved_data["scale"] = logit_scale;
    context->saved_data["inverse"] = inverse;
    context->saved_data["bound"] = tail_bound;
    const SplineOptions options = options_of(h_BPT, logit_scale, inverse, tail_bound);
    const SplineShape shape = shape_of(x_B1T);
    at::Tensor y_B1T = at::empty({shape.batch, 1, shape.time}, h_BPT.options());
    at::Tensor log_B = at::empty({shape.batch}, h_BPT.options());
    const float *x = data_of(x_B1T), *h = data_of(h_BPT), *mask = data_of(mask_B1T);
    auto *y = y_B1T.mutable_data_ptr<float>(), *log_of = log_B.mutable_data_ptr<float>();
#ifdef VALETTS_CUDA
    if (h_BPT.is_cuda()) {
      on_device(h_BPT, [&](void* stream) { return spline_cuda(options, shape, x, h, mask, y, log_of, stream); });
      return {y_B1T, log_B};
    }
#endif
    const int64_t item_size = h_BPT.size(1) * shape.time;
    at::parallel_for(0, shape.batch, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> logs(static_cast<size_t>(shape.time));
      for (int64_t b = begin; b < end; ++b) {
        spline_columns_fast(options, shape.time, x + b * shape.x_stride, h + b * item_size, shape.time, mask + b * shape.time,
                            y + b * shape.time, logs.data());
        double sum = 0.0;
        for (const float value : logs) sum += value;
        log_of[b] = static_cast<float>(sum);
      }
    });
    return {y_B1T, log_B};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x_B1T = saved[0], &h_BPT = saved[1], &mask_B1T = saved[2];
    variable_list out(6);
    if (!gradients[0].defined() && !gradients[1].defined()) return out;
    VT_PROFILED_KERNEL("valetts::spline_backward", x_B1T, h_BPT, mask_B1T);
    const at::Tensor of_y = gradients[0].defined() ? gradients[0].contiguous() : at::Tensor();
    const at::Tensor of_log = gradients[1].defined() ? gradients[1].contiguous() : at::Tensor();
    const SplineOptions options =
        options_of(h_BPT, context->saved_data["scale"].toDouble(), context->saved_data["inverse"].toBool(),
                   context->saved_data["bound"].toDouble());
    const SplineShape shape = shape_of(x_B1T);
    out[0] = at::empty({shape.batch, 1, shape.time}, h_BPT.options());
    out[1] = at::empty_like(h_BPT);
    const float *x = data_of(x_B1T), *h = data_of(h_BPT), *mask = data_of(mask_B1T);
    const float *from_y = data_of(of_y), *from_log = data_of(of_log);
    auto *to_x = out[0].mutable_data_ptr<float>(), *to_h = out[1].mutable_data_ptr<float>();
#ifdef VALETTS_CUDA
    if (h_BPT.is_cuda()) {
      on_device(h_BPT, [&](void* stream) {
        return spline_backward_cuda(options, shape, x, h, mask, from_y, from_log, to_x, to_h, stream);
      });
      return out;
    }
#endif
    const int64_t item_size = h_BPT.size(1) * shape.time;
    at::parallel_for(0, shape.batch, 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        const int64_t first = b * shape.time;
        spline_backward_columns_fast(options, shape.time, x + b * shape.x_stride, h + b * item_size, shape.time, mask + first,
                                     from_y == nullptr ? nullptr : from_y + first, from_log == nullptr ? 0.0f : from_log[b],
                                     to_x + first, to_h + b * item_size);
      }
    });
    return out;
  }
};

bool fits(const at::Tensor& x_B1T, const at::Tensor& h_BPT, const at::Tensor& mask_B1T) {
  const int64_t bins = (h_BPT.size(1) + 1) / 3;
  const auto is_float = [&](const at::Tensor& x) { return x.scalar_type() == at::kFloat && x.device() == h_BPT.device(); };
  return bins <= kSplineMaxBins && is_float(x_B1T) && is_float(h_BPT) && is_float(mask_B1T) &&
         (x_B1T.stride(2) == 1 || x_B1T.size(2) == 1) && h_BPT.is_contiguous() && mask_B1T.is_contiguous();
}

}  // namespace

std::pair<at::Tensor, at::Tensor> masked_spline(const at::Tensor& x_B1T, const at::Tensor& h_BPT, const at::Tensor& mask_B1T,
                                                double logit_scale, bool inverse, double tail_bound) {
  VT_CHECK_ARG(h_BPT.dim() == 3 && h_BPT.size(1) >= 5 && h_BPT.size(1) % 3 == 2,
               "spline: [batch, 3 x bins - 1, time] parameters with 2 bins or more expected, not ", h_BPT.sizes());
  const at::IntArrayRef sizes = h_BPT.sizes();
  for (const at::Tensor* given : {&x_B1T, &mask_B1T}) {
    VT_CHECK_ARG(given->dim() == 3 && given->size(0) == sizes[0] && given->size(1) == 1 && given->size(2) == sizes[2],
                 "spline: values and mask must be [batch, 1, time] beside parameters ", sizes, ", not ", given->sizes());
  }
  if (on_fused_path(h_BPT) && fits(x_B1T, h_BPT, mask_B1T)) {
    const variable_list out = Spline::apply(x_B1T, h_BPT, mask_B1T, logit_scale, inverse, tail_bound);
    return {out[0], out[1]};
  }
  const int64_t bins = (sizes[1] + 1) / 3;
  const at::Tensor h_B1TP = (h_BPT * mask_B1T).unsqueeze(1).transpose(2, 3);
  auto [y, log_derivative] = rational_quadratic_spline(x_B1T, h_B1TP.narrow(3, 0, bins) * logit_scale,
                                                       h_B1TP.narrow(3, bins, bins) * logit_scale,
                                                       h_B1TP.narrow(3, 2 * bins, bins - 1), inverse, tail_bound);
  return {y * mask_B1T, (log_derivative * mask_B1T).sum({1, 2})};
}

}  // namespace valetts
