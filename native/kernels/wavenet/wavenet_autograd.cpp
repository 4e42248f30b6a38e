// The tensor face: checks, choice of path, and the nodes of the gradient.
#include "wavenet/wavenet.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "core/check.h"
#include "core/module_scope.h"
#include "core/path.h"
#include "wavenet/wavenet_raw.h"

#ifdef VALETTS_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace valetts {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool fits(const at::Tensor& x) { return !x.defined() || (x.scalar_type() == at::kFloat && x.is_contiguous()); }

bool on_fused_path(const at::Tensor& x) {
  if (on_plain_path()) return false;
#ifdef VALETTS_CUDA
  if (x.is_cuda()) return gpu_path() != GpuPath::kPlain;
#endif
  return x.is_cpu();
}

// An undefined tensor is no argument of an autograd function; an absent one is.
std::optional<at::Tensor> if_defined(const at::Tensor& x) { return x.defined() ? std::optional(x) : std::nullopt; }

int64_t rows_per_task(int64_t time) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(1, time)); }

const float* data_of(const at::Tensor& x) { return x.defined() ? x.const_data_ptr<float>() : nullptr; }

#ifdef VALETTS_CUDA
// Runs `launch` with the tensor's device and stream.
template <typename Launch>
void on_device(const at::Tensor& x, const Launch& launch) {
  const c10::cuda::CUDAGuard guard(x.device());
  const char* problem = launch(c10::cuda::getCurrentCUDAStream(x.device().index()).stream());
  VT_CHECK_ARG(problem == nullptr, "WaveNet on ", x.device().str(), ": ", problem);
}
#endif

WavenetShape shape_of_gates(const at::Tensor& a_BGT) { return {a_BGT.size(0), a_BGT.size(1) / 2, a_BGT.size(2)}; }

// Rows of both halves of [B, 2H, T], and of the condition, of item-and-channel `row`.
struct GateRow {
  int64_t upper, lower;
  float add_a = 0.0f, add_b = 0.0f;
};

GateRow gate_row(const WavenetShape& shape, int64_t row, const float* condition, int64_t condition_stride) {
  const int64_t item = row / shape.hidden, channel = row % shape.hidden;
  GateRow out{(item * 2 * shape.hidden + channel) * shape.time, ((item * 2 + 1) * shape.hidden + channel) * shape.time};
  if (condition != nullptr) {
    out.add_a = condition[item * condition_stride + channel];
    out.add_b = condition[item * condition_stride + channel + shape.hidden];
  }
  return out;
}

at::Tensor gate_forward(const at::Tensor& a_BGT, const at::Tensor& condition_BG1) {
  const WavenetShape shape = shape_of_gates(a_BGT);
  at::Tensor y_BHT = at::empty({shape.batch, shape.hidden, shape.time}, a_BGT.options());
  const float* condition = data_of(condition_BG1);
  const int64_t stride = condition_BG1.defined() ? condition_BG1.stride(0) : 0;
#ifdef VALETTS_CUDA
  if (a_BGT.is_cuda()) {
    on_device(a_BGT, [&](void* stream) {
      return wavenet_gate_cuda(shape, data_of(a_BGT), condition, stride, y_BHT.mutable_data_ptr<float>(), stream);
    });
    return y_BHT;
  }
#endif
  const float* a = data_of(a_BGT);
  auto* y = y_BHT.mutable_data_ptr<float>();
  at::parallel_for(0, shape.batch * shape.hidden, rows_per_task(shape.time), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const GateRow at_row = gate_row(shape, row, condition, stride);
      wavenet_gate_row_fast(a + at_row.upper, a + at_row.lower, at_row.add_a, at_row.add_b, shape.time,
                            y + row * shape.time);
    }
  });
  return y_BHT;
}

struct Gate : torch::autograd::Function<Gate> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& a_BGT, const std::optional<at::Tensor>& given) {
    const at::Tensor condition_BG1 = given.value_or(at::Tensor());
    VT_PROFILED_KERNEL("valetts::wavenet_gate", a_BGT, condition_BG1);
    context->save_for_backward({a_BGT, condition_BG1});
    return gate_forward(a_BGT, condition_BG1);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &a_BGT = saved[0], &condition_BG1 = saved[1];
    VT_PROFILED_KERNEL("valetts::wavenet_gate_backward", a_BGT, condition_BG1, gradients[0]);
    if (!gradients[0].defined()) return {at::Tensor(), at::Tensor()};
    const at::Tensor grad_BHT = gradients[0].contiguous();
    const WavenetShape shape = shape_of_gates(a_BGT);
    at::Tensor grad_a_BGT = at::empty_like(a_BGT);
    at::Tensor grad_condition;
    const bool has_condition = condition_BG1.defined();
    if (has_condition) grad_condition = at::empty({shape.batch, 2 * shape.hidden, 1}, a_BGT.options());
    const float* condition = data_of(condition_BG1);
    const int64_t stride = has_condition ? condition_BG1.stride(0) : 0;
    auto* to_a = grad_a_BGT.mutable_data_ptr<float>();
    float* to_condition = has_condition ? grad_condition.mutable_data_ptr<float>() : nullptr;
#ifdef VALETTS_CUDA
    if (a_BGT.is_cuda()) {
      on_device(a_BGT, [&](void* stream) {
        return wavenet_gate_backward_cuda(shape, data_of(a_BGT), condition, stride, data_of(grad_BHT), to_a, to_condition,
                                          stream);
      });
      return {grad_a_BGT, grad_condition};
    }
#endif
    const float* a = data_of(a_BGT);
    const float* grad = data_of(grad_BHT);
    at::parallel_for(0, shape.batch * shape.hidden, rows_per_task(shape.time), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const GateRow at_row = gate_row(shape, row, condition, stride);
        float sum_a = 0.0f, sum_b = 0.0f;
        wavenet_gate_backward_row_fast(a + at_row.upper, a + at_row.lower, at_row.add_a, at_row.add_b,
                                       grad + row * shape.time, shape.time, to_a + at_row.upper, to_a + at_row.lower, &sum_a,
                                       &sum_b);
        if (has_condition) {
          const int64_t item = row / shape.hidden, channel = row % shape.hidden;
          to_condition[item * 2 * shape.hidden + channel] = sum_a;
          to_condition[(item * 2 + 1) * shape.hidden + channel] = sum_b;
        }
      }
    });
    return {grad_a_BGT, grad_condition};
  }
};

struct Residual : torch::autograd::Function<Residual> {
  static variable_list forward(AutogradContext* context, const at::Tensor& x_BHT, const at::Tensor& r_BGT,
                               const at::Tensor& mask_B1T, const std::optional<at::Tensor>& given) {
    const at::Tensor skip_BHT = given.value_or(at::Tensor());
    VT_PROFILED_KERNEL("valetts::wavenet_residual", x_BHT, r_BGT, mask_B1T, skip_BHT);
    context->save_for_backward({mask_B1T});
    context->set_materialize_grads(false);
    context->saved_data["has_skip"] = skip_BHT.defined();
    const WavenetShape shape = shape_of_gates(r_BGT);
    at::Tensor x_next = at::empty_like(x_BHT), skip_next = at::empty_like(x_BHT);
#ifdef VALETTS_CUDA
    if (x_BHT.is_cuda()) {
      on_device(x_BHT, [&](void* stream) {
        return wavenet_residual_cuda(shape, data_of(x_BHT), data_of(r_BGT), data_of(mask_B1T), data_of(skip_BHT),
                                     x_next.mutable_data_ptr<float>(), skip_next.mutable_data_ptr<float>(), stream);
      });
      return {x_next, skip_next};
    }
#endif
    const float *x = data_of(x_BHT), *r = data_of(r_BGT), *mask = data_of(mask_B1T), *skip = data_of(skip_BHT);
    auto *to_x = x_next.mutable_data_ptr<float>(), *to_skip = skip_next.mutable_data_ptr<float>();
    at::parallel_for(0, shape.batch * shape.hidden, rows_per_task(shape.time), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const GateRow at_row = gate_row(shape, row, nullptr, 0);
        const float *x_T = x + row * shape.time, *upper_T = r + at_row.upper, *lower_T = r + at_row.lower;
        const float* mask_T = mask + row / shape.hidden * shape.time;
        float *to_x_T = to_x + row * shape.time, *to_skip_T = to_skip + row * shape.time;
        for (int64_t t = 0; t < shape.time; ++t) to_x_T[t] = (x_T[t] + upper_T[t]) * mask_T[t];
        if (skip == nullptr) {
          std::copy(lower_T, lower_T + shape.time, to_skip_T);
        } else {
          const float* skip_T = skip + row * shape.time;
          for (int64_t t = 0; t < shape.time; ++t) to_skip_T[t] = skip_T[t] + lower_T[t];
        }
      }
    });
    return {x_next, skip_next};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor mask_B1T = context->get_saved_variables()[0];
    VT_PROFILED_KERNEL("valetts::wavenet_residual_backward", gradients[0], gradients[1], mask_B1T);
    const at::Tensor of_x = gradients[0].defined() ? gradients[0].contiguous() : at::Tensor();
    const at::Tensor of_skip = gradients[1].defined() ? gradients[1].contiguous() : at::Tensor();
    if (!of_x.defined() && !of_skip.defined()) return variable_list(4);
    const at::Tensor& known = of_x.defined() ? of_x : of_skip;
    const WavenetShape shape{known.size(0), known.size(1), known.size(2)};
    at::Tensor grad_x = at::empty_like(known);
    at::Tensor grad_r = at::empty({shape.batch, 2 * shape.hidden, shape.time}, known.options());
    at::Tensor grad_skip = context->saved_data["has_skip"].toBool() ? of_skip : at::Tensor();
#ifdef VALETTS_CUDA
    if (known.is_cuda()) {
      on_device(known, [&](void* stream) {
        return wavenet_residual_backward_cuda(shape, data_of(of_x), data_of(of_skip), data_of(mask_B1T),
                                              grad_x.mutable_data_ptr<float>(), grad_r.mutable_data_ptr<float>(), stream);
      });
      return {grad_x, grad_r, at::Tensor(), grad_skip};
    }
#endif
    const float *from_x = data_of(of_x), *from_skip = data_of(of_skip), *mask = data_of(mask_B1T);
    auto *to_x = grad_x.mutable_data_ptr<float>(), *to_r = grad_r.mutable_data_ptr<float>();
    at::parallel_for(0, shape.batch * shape.hidden, rows_per_task(shape.time), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const GateRow at_row = gate_row(shape, row, nullptr, 0);
        const float* mask_T = mask + row / shape.hidden * shape.time;
        float *to_x_T = to_x + row * shape.time, *upper_T = to_r + at_row.upper, *lower_T = to_r + at_row.lower;
        if (from_x == nullptr) {
          std::fill(to_x_T, to_x_T + shape.time, 0.0f);
        } else {
          const float* from_T = from_x + row * shape.time;
          for (int64_t t = 0; t < shape.time; ++t) to_x_T[t] = from_T[t] * mask_T[t];
        }
        std::copy(to_x_T, to_x_T + shape.time, upper_T);
        if (from_skip == nullptr) {
          std::fill(lower_T, lower_T + shape.time, 0.0f);
        } else {
          const float* from_T = from_skip + row * shape.time;
          std::copy(from_T, from_T + shape.time, lower_T);
        }
      }
    });
    return {grad_x, grad_r, at::Tensor(), grad_skip};
  }
};

}  // namespace

at::Tensor wavenet_gate(const at::Tensor& a_BGT, const at::Tensor& condition_BG1) {
  VT_CHECK_ARG(a_BGT.dim() == 3 && a_BGT.size(1) % 2 == 0, "WaveNet gate: [batch, 2 x hidden, time] expected, not ",
               a_BGT.sizes());
  const bool conditioned = condition_BG1.defined();
  VT_CHECK_ARG(!conditioned || (condition_BG1.dim() == 3 && condition_BG1.size(0) == a_BGT.size(0) &&
                                condition_BG1.size(1) == a_BGT.size(1) && condition_BG1.size(2) == 1),
               "WaveNet gate: the condition must be [batch, 2 x hidden, 1], not ", condition_BG1.sizes());
  const bool rows_fit = !conditioned || (condition_BG1.scalar_type() == at::kFloat && condition_BG1.stride(1) == 1 &&
                                         condition_BG1.device() == a_BGT.device());
  if (on_fused_path(a_BGT) && fits(a_BGT) && rows_fit) return Gate::apply(a_BGT, if_defined(condition_BG1));
  const int64_t hidden = a_BGT.size(1) / 2;
  const at::Tensor a = conditioned ? a_BGT + condition_BG1 : a_BGT;
  return at::tanh(a.narrow(1, 0, hidden)) * at::sigmoid(a.narrow(1, hidden, hidden));
}

std::pair<at::Tensor, at::Tensor> wavenet_residual(const at::Tensor& x_BHT, const at::Tensor& r_BGT,
                                                   const at::Tensor& mask_B1T, const at::Tensor& skip_BHT) {
  VT_CHECK_ARG(x_BHT.dim() == 3 && r_BGT.dim() == 3 && r_BGT.size(0) == x_BHT.size(0) &&
                   r_BGT.size(1) == 2 * x_BHT.size(1) && r_BGT.size(2) == x_BHT.size(2),
               "WaveNet residual: ", r_BGT.sizes(), " does not hold two halves of ", x_BHT.sizes());
  VT_CHECK_ARG(mask_B1T.dim() == 3 && mask_B1T.size(0) == x_BHT.size(0) && mask_B1T.size(1) == 1 &&
                   mask_B1T.size(2) == x_BHT.size(2),
               "WaveNet residual: the mask must be [batch, 1, time], not ", mask_B1T.sizes());
  VT_CHECK_ARG(!skip_BHT.defined() || skip_BHT.sizes() == x_BHT.sizes(), "WaveNet residual: the sum so far is ",
               skip_BHT.defined() ? skip_BHT.sizes() : at::IntArrayRef(), " beside ", x_BHT.sizes());
  if (on_fused_path(x_BHT) && fits(x_BHT) && fits(r_BGT) && fits(mask_B1T) && fits(skip_BHT)) {
    const variable_list next = Residual::apply(x_BHT, r_BGT, mask_B1T, if_defined(skip_BHT));
    return {next[0], next[1]};
  }
  const int64_t hidden = x_BHT.size(1);
  const at::Tensor r = r_BGT.narrow(1, hidden, hidden);
  return {(x_BHT + r_BGT.narrow(1, 0, hidden)) * mask_B1T, skip_BHT.defined() ? skip_BHT + r : r};
}

}  // namespace valetts
