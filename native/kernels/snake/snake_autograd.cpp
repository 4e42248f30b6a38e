// The tensor face: checks, choice of path, the plain form in libtorch's operations, and the node of the gradient.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "core/check.h"
#include "core/module_scope.h"
#include "core/path.h"
#include "snake/snake.h"
#include "snake/snake_raw.h"

#ifdef VALETTS_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace valetts {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kValuesPerTask = 4096;

const SnakeFilter& the_filter() {
  static const SnakeFilter filter = snake_filter();
  return filter;
}

bool on_fused_path(const at::Tensor& x) {
  if (on_plain_path()) return false;
#ifdef VALETTS_CUDA
  if (x.is_cuda()) return gpu_path() != GpuPath::kPlain;
#endif
  return x.is_cpu();
}

SnakeShape shape_of(const at::Tensor& x_BCT) { return {x_BCT.size(0), x_BCT.size(1), x_BCT.size(2)}; }

// Calls work(row, channel, working space) for every row.
template <typename Work>
void for_each_row(const SnakeShape& shape, const Work& work) {
  const int64_t rows_per_task = std::max<int64_t>(1, kValuesPerTask / shape.time);
  at::parallel_for(0, shape.batch * shape.channels, rows_per_task, [&](int64_t begin, int64_t end) {
    std::vector<float> space(static_cast<size_t>(snake_work_size(shape.time)));
    for (int64_t row = begin; row < end; ++row) work(row, row % shape.channels, space.data());
  });
}

#ifdef VALETTS_CUDA
// Runs `launch` with the tensor's device and stream.
template <typename Launch>
void on_device(const at::Tensor& x, const Launch& launch) {
  const c10::cuda::CUDAGuard guard(x.device());
  const char* problem = launch(c10::cuda::getCurrentCUDAStream(x.device().index()).stream());
  VT_CHECK_ARG(problem == nullptr, "snake on ", x.device().str(), ": ", problem);
}
#endif

struct Snake : torch::autograd::Function<Snake> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_BCT, const at::Tensor& alpha_C,
                            const at::Tensor& beta_C) {
    VT_PROFILED_KERNEL("valetts::snake", x_BCT, alpha_C, beta_C);
    context->save_for_backward({x_BCT, alpha_C, beta_C});
    const SnakeShape shape = shape_of(x_BCT);
    at::Tensor y_BCT = at::empty_like(x_BCT);
    const auto *x = x_BCT.const_data_ptr<float>(), *alpha = alpha_C.const_data_ptr<float>(),
               *beta = beta_C.const_data_ptr<float>();
    auto* y = y_BCT.mutable_data_ptr<float>();
#ifdef VALETTS_CUDA
    if (x_BCT.is_cuda()) {
      on_device(x_BCT, [&](void* stream) { return snake_cuda(the_filter(), shape, x, alpha, beta, y, stream); });
      return y_BCT;
    }
#endif
    for_each_row(shape, [&](int64_t row, int64_t channel, float* space) {
      const int64_t at = row * shape.time;
      snake_row_fast(the_filter(), x + at, alpha[channel], beta[channel], shape.time, y + at, space);
    });
    return y_BCT;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x_BCT = saved[0], &alpha_C = saved[1], &beta_C = saved[2];
    if (!gradients[0].defined()) return variable_list(3);
    VT_PROFILED_KERNEL("valetts::snake_backward", x_BCT, alpha_C, beta_C, gradients[0]);
    const at::Tensor grad_BCT = gradients[0].contiguous();
    const SnakeShape shape = shape_of(x_BCT);
    at::Tensor grad_x = at::empty_like(x_BCT);
    at::Tensor of_alpha_BC = at::empty({shape.batch, shape.channels}, x_BCT.options());
    at::Tensor of_beta_BC = at::empty_like(of_alpha_BC);
    const auto *x = x_BCT.const_data_ptr<float>(), *alpha = alpha_C.const_data_ptr<float>(),
               *beta = beta_C.const_data_ptr<float>(), *grad = grad_BCT.const_data_ptr<float>();
    auto *to_x = grad_x.mutable_data_ptr<float>(), *to_alpha = of_alpha_BC.mutable_data_ptr<float>(),
         *to_beta = of_beta_BC.mutable_data_ptr<float>();
#ifdef VALETTS_CUDA
    if (x_BCT.is_cuda()) {
      on_device(x_BCT, [&](void* stream) {
        return snake_backward_cuda(the_filter(), shape, x, alpha, beta, grad, to_x, to_alpha, to_beta, stream);
      });
      return {grad_x, of_alpha_BC.sum(0), of_beta_BC.sum(0)};
    }
#endif
    for_each_row(shape, [&](int64_t row, int64_t channel, float* space) {
      const int64_t at = row * shape.time;
      snake_backward_row_fast(the_filter(), x + at, alpha[channel], beta[channel], grad + at, shape.time, to_x + at,
                              to_alpha + row, to_beta + row, space);
    });
    return {grad_x, of_alpha_BC.sum(0), of_beta_BC.sum(0)};
  }
};

at::Tensor plain(const at::Tensor& x_BCT, const at::Tensor& alpha_C, const at::Tensor& beta_C) {
  constexpr int64_t kPad = kSnakeTaps / 2 - 1;
  const int64_t channels = x_BCT.size(1), time = x_BCT.size(2);
  const SnakeFilter taps = the_filter();
  const at::Tensor filter = at::from_blob(const_cast<float*>(taps.taps), {1, 1, kSnakeTaps}, at::kFloat)
                                .to(x_BCT.options().requires_grad(false), /*non_blocking=*/false, /*copy=*/true)
                                .expand({channels, 1, kSnakeTaps});
  const at::Tensor a = at::exp(alpha_C).view({1, channels, 1}), b = at::exp(beta_C).view({1, channels, 1});
  const at::Tensor padded = at::replication_pad1d(x_BCT, {kPad, kPad});
  const at::Tensor wide = at::conv_transpose1d(padded, filter, at::Tensor(), 2, 0, 0, channels) * 2.0;
  const at::Tensor u = wide.narrow(2, 3 * kPad, 2 * time);
  const at::Tensor v = u + at::square(at::sin(u * a)) / (b + 1e-9);
  return at::conv1d(at::replication_pad1d(v, {kPad, kPad + 1}), filter, at::Tensor(), 2, at::IntArrayRef{0}, 1, channels);
}

bool fits(const at::Tensor& x, const at::Tensor& first) {
  return x.scalar_type() == at::kFloat && x.is_contiguous() && x.device() == first.device();
}

}  // namespace

at::Tensor anti_aliased_snake(const at::Tensor& x_BCT, const at::Tensor& alpha_C, const at::Tensor& beta_C) {
  VT_CHECK_ARG(x_BCT.dim() == 3, "snake: [batch, channels, time] expected, not ", x_BCT.sizes());
  for (const at::Tensor* given : {&alpha_C, &beta_C}) {
    VT_CHECK_ARG(given->dim() == 1 && given->size(0) == x_BCT.size(1), "snake: alpha and beta must be [channels] beside ",
                 x_BCT.sizes(), ", not ", given->sizes());
  }
  if (x_BCT.numel() == 0) return x_BCT.clone();
  if (on_fused_path(x_BCT) && fits(x_BCT, x_BCT) && fits(alpha_C, x_BCT) && fits(beta_C, x_BCT)) {
    return Snake::apply(x_BCT, alpha_C, beta_C);
  }
  return plain(x_BCT, alpha_C, beta_C);
}

}  // namespace valetts
