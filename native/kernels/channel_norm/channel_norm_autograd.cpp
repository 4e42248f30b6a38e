// The tensor face: checks, choice of path, and the node of the gradient.
#include "channel_norm/channel_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "channel_norm/channel_norm_raw.h"
#include "core/check.h"
#include "core/module_scope.h"
#include "core/path.h"
#include "core/precision.h"

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

bool fits(const at::Tensor& x, const at::Tensor& with) {
  return x.scalar_type() == at::kFloat && x.is_contiguous() && x.device() == with.device();
}

const float* data_of(const at::Tensor& x) { return x.defined() ? x.const_data_ptr<float>() : nullptr; }

#ifdef VALETTS_CUDA
// Runs `launch` with the tensor's device and stream.
template <typename Launch>
void on_device(const at::Tensor& x, const Launch& launch) {
  const c10::cuda::CUDAGuard guard(x.device());
  const char* problem = launch(c10::cuda::getCurrentCUDAStream(x.device().index()).stream());
  VT_CHECK_ARG(problem == nullptr, "layer norm on ", x.device().str(), ": ", problem);
}
#endif

// Columns of one item that are worked on together. The pieces depend on the shape alone.
struct Piece {
  int64_t item;
  int64_t begin;
  int64_t end;
};

std::vector<Piece> pieces_of(const ChannelNormShape& shape) {
  constexpr int64_t kColumns = 256;
  std::vector<Piece> pieces;
  if (shape.time == 0) return pieces;
  const int64_t in_item = std::max<int64_t>(1, shape.time / kColumns);
  for (int64_t item = 0; item < shape.batch; ++item) {
    for (int64_t i = 0; i < in_item; ++i) {
      pieces.push_back({item, i * kColumns, i + 1 < in_item ? (i + 1) * kColumns : shape.time});
    }
  }
  return pieces;
}

struct Norm : torch::autograd::Function<Norm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_BCT, const at::Tensor& gamma_C,
                            const at::Tensor& beta_C, const std::optional<at::Tensor>& given) {
    const at::Tensor mask_B1T = given.value_or(at::Tensor());
    VT_PROFILED_KERNEL("valetts::channel_norm", x_BCT, gamma_C, beta_C, mask_B1T);
    const ChannelNormShape shape{x_BCT.size(0), x_BCT.size(1), x_BCT.size(2)};
    at::Tensor y_BCT = at::empty_like(x_BCT);
    at::Tensor statistics_2BT = at::empty({2, shape.batch, shape.time}, x_BCT.options());
    context->save_for_backward({x_BCT, gamma_C, mask_B1T, statistics_2BT});
    const float *x = data_of(x_BCT), *gamma = data_of(gamma_C), *beta = data_of(beta_C), *mask = data_of(mask_B1T);
    float* y = y_BCT.mutable_data_ptr<float>();
    float* mean = statistics_2BT.mutable_data_ptr<float>();
    float* scale = mean + shape.batch * shape.time;
#ifdef VALETTS_CUDA
    if (x_BCT.is_cuda()) {
      on_device(x_BCT, [&](void* stream) {
        return channel_norm_cuda(shape, x, gamma, beta, mask, y, mean, scale, stream);
      });
      return y_BCT;
    }
#endif
    const auto columns = shape.time < kChannelNormLanes ? channel_norm_columns : channel_norm_columns_fast;
    const std::vector<Piece> pieces = pieces_of(shape);
    at::parallel_for(0, static_cast<int64_t>(pieces.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Piece& piece = pieces[static_cast<size_t>(i)];
        const int64_t first = piece.item * shape.channels * shape.time, row = piece.item * shape.time;
        columns(shape.channels, shape.time, piece.begin, piece.end, x + first, gamma, beta,
                mask == nullptr ? nullptr : mask + row, y + first, mean + row, scale + row);
      }
    });
    return y_BCT;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x_BCT = saved[0], &gamma_C = saved[1], &mask_B1T = saved[2], &statistics_2BT = saved[3];
    if (!gradients[0].defined()) return variable_list(4);
    VT_PROFILED_KERNEL("valetts::channel_norm_backward", x_BCT, gamma_C, mask_B1T, statistics_2BT, gradients[0]);
    const at::Tensor grad_BCT = gradients[0].contiguous();
    const ChannelNormShape shape{x_BCT.size(0), x_BCT.size(1), x_BCT.size(2)};
    at::Tensor grad_x_BCT = at::empty_like(x_BCT);
    const float *x = data_of(x_BCT), *gamma = data_of(gamma_C), *mask = data_of(mask_B1T), *grad = data_of(grad_BCT);
    const float* mean = data_of(statistics_2BT);
    const float* scale = mean + shape.batch * shape.time;
    float* to_x = grad_x_BCT.mutable_data_ptr<float>();
#ifdef VALETTS_CUDA
    if (x_BCT.is_cuda()) {
      at::Tensor grad_gamma_C = at::empty_like(gamma_C), grad_beta_C = at::empty_like(gamma_C);
      on_device(x_BCT, [&](void* stream) {
        return channel_norm_backward_cuda(shape, x, gamma, mask, mean, scale, grad, to_x,
                                          grad_gamma_C.mutable_data_ptr<float>(), grad_beta_C.mutable_data_ptr<float>(),
                                          stream);
      });
      return {grad_x_BCT, grad_gamma_C, grad_beta_C, at::Tensor()};
    }
#endif
    const std::vector<Piece> pieces = pieces_of(shape);
    const int64_t count = static_cast<int64_t>(pieces.size()), channels = shape.channels;
    // Each piece's part of the sums over all columns: added up in their order below.
    std::vector<float> parts(static_cast<size_t>(2 * count * channels), 0.0f);
    at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> work(static_cast<size_t>(2 * channels * kChannelNormLanes));
      for (int64_t i = begin; i < end; ++i) {
        const Piece& piece = pieces[static_cast<size_t>(i)];
        const int64_t first = piece.item * channels * shape.time, row = piece.item * shape.time;
        const float* mask_T = mask == nullptr ? nullptr : mask + row;
        float* part = parts.data() + 2 * i * channels;
        if (shape.time < kChannelNormLanes) {
          channel_norm_backward_columns(channels, shape.time, piece.begin, piece.end, x + first, gamma, mask_T, mean + row,
                                        scale + row, grad + first, to_x + first, part, part + channels);
        } else {
          channel_norm_backward_columns_fast(channels, shape.time, piece.begin, piece.end, x + first, gamma, mask_T,
                                             mean + row, scale + row, grad + first, to_x + first, part, part + channels,
                                             work.data());
        }
      }
    });
    at::Tensor grad_gamma_C = at::zeros_like(gamma_C), grad_beta_C = at::zeros_like(gamma_C);
    auto *to_gamma = grad_gamma_C.mutable_data_ptr<float>(), *to_beta = grad_beta_C.mutable_data_ptr<float>();
    for (int64_t i = 0; i < count; ++i) {
      const float* part = parts.data() + 2 * i * channels;
      for (int64_t c = 0; c < channels; ++c) to_gamma[c] += part[c];
      for (int64_t c = 0; c < channels; ++c) to_beta[c] += part[channels + c];
    }
    return {grad_x_BCT, grad_gamma_C, grad_beta_C, at::Tensor()};
  }
};

}  // namespace

at::Tensor channel_norm(const at::Tensor& x_BCT, const at::Tensor& gamma_C, const at::Tensor& beta_C,
                        const at::Tensor& mask_B1T) {
  VT_CHECK_ARG(x_BCT.dim() == 3 && x_BCT.size(1) > 0, "layer norm: [batch, channels, time] expected, not ", x_BCT.sizes());
  const int64_t channels = x_BCT.size(1);
  VT_CHECK_ARG(gamma_C.dim() == 1 && gamma_C.size(0) == channels && beta_C.sizes() == gamma_C.sizes(),
               "layer norm: gamma and beta are ", gamma_C.sizes(), " and ", beta_C.sizes(), " for ", channels, " channels");
  const bool masked = mask_B1T.defined();
  VT_CHECK_ARG(!masked || (mask_B1T.dim() == 3 && mask_B1T.size(0) == x_BCT.size(0) && mask_B1T.size(1) == 1 &&
                           mask_B1T.size(2) == x_BCT.size(2)),
               "layer norm: the mask must be [batch, 1, time], not ", mask_B1T.sizes());
  if (on_fused_path(x_BCT) && x_BCT.scalar_type() == at::kFloat && fits(gamma_C, x_BCT) && fits(beta_C, x_BCT) &&
      (!masked || fits(mask_B1T, x_BCT))) {
    return Norm::apply(x_BCT.contiguous(), gamma_C, beta_C, masked ? std::optional(mask_B1T) : std::nullopt);
  }
  const at::Tensor y = at::layer_norm(widened(x_BCT).transpose(1, -1), {channels}, gamma_C, beta_C,
                                      static_cast<double>(kChannelNormEpsilon))
                           .transpose(1, -1);
  return masked ? y * mask_B1T : y;
}

}  // namespace valetts
