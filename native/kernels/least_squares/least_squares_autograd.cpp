// The tensor face: checks, choice of path, and the node of the gradient.
#include "least_squares/least_squares.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/kernel_path.h"
#include "core/module_scope.h"
#include "core/precision.h"
#include "least_squares/least_squares_raw.h"

namespace valetts {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

static_assert(2 * kMostLogits == kMostPieces);

// The pieces in the order of [logits, targets]; `to` is empty, or has a tensor like each of the logits.
LeastSquaresTable table_of(at::TensorList logits, const std::vector<double>& targets, const variable_list& to) {
  LeastSquaresTable table{};
  for (size_t i = 0; i < logits.size(); ++i) {
    const int64_t count = logits[i].numel() / static_cast<int64_t>(targets.size());
    const auto bytes = static_cast<size_t>(count) * logits[i].element_size();
    for (size_t k = 0; k < targets.size(); ++k) {
      table.x[table.pieces] = static_cast<const char*>(logits[i].const_data_ptr()) + k * bytes;
      if (!to.empty()) table.to[table.pieces] = static_cast<char*>(to[i].mutable_data_ptr()) + k * bytes;
      table.count[table.pieces] = count;
      table.target[table.pieces] = static_cast<float>(targets[k]);
      ++table.pieces;
    }
  }
  return table;
}

struct Parts : torch::autograd::Function<Parts> {
  static at::Tensor forward(AutogradContext* context, at::TensorList logits, const std::vector<double>& targets) {
    VT_PROFILED_KERNEL("valetts::least_squares", logits.vec());
    context->save_for_backward(logits.vec());
    context->saved_data["targets"] = targets;
    const LeastSquaresTable table = table_of(logits, targets, {});
    const at::Tensor parts = at::empty({static_cast<int64_t>(logits.size()), static_cast<int64_t>(targets.size())},
                                       logits.front().options().dtype(at::kFloat).requires_grad(false));
    auto* out = parts.mutable_data_ptr<float>();
    if (parts.is_cuda()) {
#ifdef VALETTS_CUDA
      launch_kernel("least squares", parts, [&](void* stream) {
        return least_squares_cuda(value_type_of(logits.front()), table, out, stream);
      });
#endif
      return parts;
    }
    for (int i = 0; i < table.pieces; ++i) {
      out[i] = static_cast<float>(squared_distance(static_cast<const float*>(table.x[i]), table.count[i], table.target[i]));
    }
    return parts;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list logits = context->get_saved_variables();
    variable_list out(logits.size() + 1);
    if (!gradients[0].defined()) return out;
    VT_PROFILED_KERNEL("valetts::least_squares_backward", logits);
    const at::Tensor grad = gradients[0].contiguous();
    for (size_t i = 0; i < logits.size(); ++i) out[i] = at::empty_like(logits[i]);
    const LeastSquaresTable table = table_of(logits, context->saved_data["targets"].toDoubleVector(),
                                             variable_list(out.begin(), out.end() - 1));
    const auto* from = values_of(grad);
    if (grad.is_cuda()) {
#ifdef VALETTS_CUDA
      launch_kernel("least squares", grad, [&](void* stream) {
        return least_squares_backward_cuda(value_type_of(logits.front()), table, from, stream);
      });
#endif
      return out;
    }
    for (int i = 0; i < table.pieces; ++i) {
      squared_distance_backward(static_cast<const float*>(table.x[i]), table.count[i], table.target[i], from[i],
                                static_cast<float*>(table.to[i]));
    }
    return out;
  }
};

}  // namespace

at::Tensor least_squares(const std::vector<at::Tensor>& logits, const std::vector<double>& targets) {
  VT_CHECK_ARG(!logits.empty() && logits.size() <= kMostLogits && (targets.size() == 1 || targets.size() == 2),
               "least squares: ", logits.size(), " tensors and ", targets.size(), " targets");
  const auto pieces = static_cast<int64_t>(targets.size());
  bool fused = true;
  for (const at::Tensor& x : logits) {
    VT_CHECK_ARG(x.dim() >= 1 && x.numel() > 0 && x.size(0) % pieces == 0, "least squares: ", x.sizes(), " in ", pieces,
                 " pieces");
    fused = fused && takes_kernel(x) && is_float_or_half(x) && x.is_contiguous() &&
            x.scalar_type() == logits.front().scalar_type() && x.device() == logits.front().device();
  }
  if (fused) return Parts::apply(at::TensorList(logits), targets);
  std::vector<at::Tensor> parts;
  for (const at::Tensor& x : logits) {
    for (int64_t k = 0; k < pieces; ++k) {
      const at::Tensor piece = x.narrow(0, k * (x.size(0) / pieces), x.size(0) / pieces);
      parts.push_back(at::square(targets[static_cast<size_t>(k)] - widened(piece)).mean());
    }
  }
  return at::stack(parts).view({-1, pieces});
}

}  // namespace valetts
