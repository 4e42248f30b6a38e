// The tensor face: checks, choice of path, and the nodes of the gradients.
#include "epilogue/epilogue.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/kernel_path.h"
#include "core/module_scope.h"
#include "epilogue/epilogue_raw.h"

namespace valetts {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

static_assert(kMostBlocks == kMostMeanInputs);

EpilogueShape shape_of(const at::Tensor& x) {
  const int64_t rows = x.size(0) * x.size(1);
  return {x.size(0), x.size(1), rows == 0 ? 0 : x.numel() / rows};
}

float* writable(const at::Tensor& x) { return x.defined() ? x.mutable_data_ptr<float>() : nullptr; }

#ifdef VALETTS_CUDA
const void* bytes_of(const at::Tensor& x) { return x.defined() ? x.const_data_ptr() : nullptr; }
void* bytes_to(const at::Tensor& x) { return x.defined() ? x.mutable_data_ptr() : nullptr; }
#endif

// Work on rows of [B C, time]: what row(index, first value, the row's mask) does.
template <typename Row>
void over_rows(const EpilogueShape& shape, const float* mask_BT, const Row& row) {
  const int64_t per_task = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, shape.time));
  at::parallel_for(0, shape.batch * shape.channels, per_task, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      row(i, i * shape.time, mask_BT == nullptr ? nullptr : mask_BT + i / shape.channels * shape.time);
    }
  });
}

const float* from_place(const float* values, int64_t first) { return values == nullptr ? nullptr : values + first; }
float* to_place(float* values, int64_t first) { return values == nullptr ? nullptr : values + first; }

struct Activation : torch::autograd::Function<Activation> {
  static at::Tensor forward(AutogradContext* context, at::Tensor x, const std::optional<at::Tensor>& given_bias, double slope,
                            const std::optional<at::Tensor>& given_keep, const std::optional<at::Tensor>& given_mask) {
    const at::Tensor bias_C = given_bias.value_or(at::Tensor()), keep = given_keep.value_or(at::Tensor()),
                     mask = given_mask.value_or(at::Tensor());
    VT_PROFILED_KERNEL("valetts::activation", x, bias_C, keep, mask);
    const EpilogueShape shape = shape_of(x);
    const auto of_slope = static_cast<float>(slope);
    if (x.is_cuda()) {
#ifdef VALETTS_CUDA
      launch_kernel("activation", x, [&](void* stream) {
        return activation_cuda(shape, value_type_of(x), bytes_of(x), values_of(bias_C), of_slope, values_of(keep), values_of(mask),
                               bytes_to(x), stream);
      });
#endif
    } else {
      const float *bias = values_of(bias_C), *of_keep = values_of(keep);
      float* values = writable(x);
      over_rows(shape, values_of(mask), [&](int64_t row, int64_t first, const float* mask_T) {
        activation_row_fast(bias == nullptr ? 0.0f : bias[row % shape.channels], of_slope, from_place(of_keep, first), mask_T,
                       shape.time, values + first, values + first);
      });
    }
    context->mark_dirty({x});
    context->save_for_backward({x, keep, mask});
    context->saved_data["slope"] = slope;
    context->saved_data["biased"] = bias_C.defined();
    return x;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &y = saved[0], &keep = saved[1], &mask = saved[2];
    variable_list out(5);
    if (!gradients[0].defined()) return out;
    VT_PROFILED_KERNEL("valetts::activation_backward", y, keep, mask, gradients[0]);
    const at::Tensor grad = gradients[0].to(y.scalar_type()).contiguous();
    const EpilogueShape shape = shape_of(y);
    const auto slope = static_cast<float>(context->saved_data["slope"].toDouble());
    // Not of a frozen discriminator's.
    const bool biased = context->saved_data["biased"].toBool() && context->needs_input_grad(1);
    out[0] = at::empty_like(y);
    if (y.is_cuda()) {
#ifdef VALETTS_CUDA
      launch_kernel("activation", y, [&](void* stream) {
        return activation_backward_cuda(shape, value_type_of(y), bytes_of(y), slope, values_of(keep), values_of(mask), bytes_of(grad),
                                        bytes_to(out[0]), stream);
      });
#endif
      if (biased) out[1] = out[0].flatten(2).sum({0, 2}, false, at::kFloat);
      return out;
    }
    const float *of_y = values_of(y), *of_keep = values_of(keep), *from = values_of(grad);
    float* to = writable(out[0]);
    over_rows(shape, values_of(mask), [&](int64_t, int64_t first, const float* mask_T) {
      activation_backward_row_fast(slope, from_place(of_keep, first), mask_T, shape.time, of_y + first, from + first, to + first);
    });
    if (biased) out[1] = out[0].flatten(2).sum({0, 2});
    return out;
  }
};

struct Residual : torch::autograd::Function<Residual> {
  // A slope that is absent: the sum alone.
  static variable_list forward(AutogradContext* context, const at::Tensor& x, at::Tensor y, std::optional<double> slope,
                               const std::optional<at::Tensor>& given_keep, const std::optional<at::Tensor>& given_mask) {
    const at::Tensor keep = given_keep.value_or(at::Tensor()), mask = given_mask.value_or(at::Tensor());
    VT_PROFILED_KERNEL("valetts::residual", x, y, keep, mask);
    const EpilogueShape shape = shape_of(x);
    const auto of_slope = static_cast<float>(slope.value_or(1.0));
    const bool in_place = x.scalar_type() == y.scalar_type();
    const at::Tensor sum = in_place ? y : at::empty_like(x);
    const at::Tensor rectified = slope ? at::empty_like(x) : at::Tensor();
    if (x.is_cuda()) {
#ifdef VALETTS_CUDA
      launch_kernel("residual", x, [&](void* stream) {
        return residual_cuda(shape, value_type_of(x), value_type_of(y), bytes_of(x), bytes_of(y), of_slope, values_of(keep), values_of(mask),
                             bytes_to(sum), bytes_to(rectified), stream);
      });
#endif
    } else {
      const float *of_x = values_of(x), *of_y = values_of(y), *of_keep = values_of(keep);
      float *to = writable(sum), *to_rectified = writable(rectified);
      over_rows(shape, values_of(mask), [&](int64_t, int64_t first, const float* mask_T) {
        residual_row_fast(of_slope, from_place(of_keep, first), mask_T, shape.time, of_x + first, of_y + first, to + first,
                     to_place(to_rectified, first));
      });
    }
    if (in_place) context->mark_dirty({y});
    context->set_materialize_grads(false);
    context->save_for_backward({rectified, keep, mask});
    context->saved_data["slope"] = static_cast<double>(of_slope);
    context->saved_data["type"] = y.scalar_type();
    if (!slope) return {sum};
    return {sum, rectified};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &rectified = saved[0], &keep = saved[1], &mask = saved[2];
    const bool of_sum = gradients[0].defined(), of_rectified = gradients.size() > 1 && gradients[1].defined();
    variable_list out(5);
    if (!of_sum && !of_rectified) return out;
    const auto type = context->saved_data["type"].toScalarType();
    const bool weighted = keep.defined() || mask.defined();
    // A plain sum hands its gradient on.
    if (!of_rectified && !weighted) {
      out[0] = gradients[0];
      out[1] = gradients[0].to(type);
      return out;
    }
    const at::Tensor grad_sum = of_sum ? gradients[0].contiguous() : at::Tensor();
    const at::Tensor grad_rectified = of_rectified ? gradients[1].contiguous() : at::Tensor();
    VT_PROFILED_KERNEL("valetts::residual_backward", rectified, keep, mask, grad_sum, grad_rectified);
    const at::Tensor& known = of_sum ? grad_sum : grad_rectified;
    const EpilogueShape shape = shape_of(known);
    const auto slope = static_cast<float>(context->saved_data["slope"].toDouble());
    const bool alike = !weighted && type == known.scalar_type();
    out[0] = at::empty_like(known);
    out[1] = alike ? out[0] : at::empty(known.sizes(), known.options().dtype(type));
    if (known.is_cuda()) {
#ifdef VALETTS_CUDA
      launch_kernel("residual", known, [&](void* stream) {
        return residual_backward_cuda(shape, value_type_of(known), value_type_of(out[1]), bytes_of(of_rectified ? rectified : at::Tensor()),
                                      slope, values_of(keep), values_of(mask), bytes_of(grad_sum), bytes_of(grad_rectified),
                                      bytes_to(out[0]), alike ? nullptr : bytes_to(out[1]), stream);
      });
#endif
      return out;
    }
    const float *of_keep = values_of(keep), *from_sum = values_of(grad_sum), *from = values_of(grad_rectified);
    const float* sign = of_rectified ? values_of(rectified) : nullptr;
    float *to_x = writable(out[0]), *to_y = alike ? nullptr : writable(out[1]);
    over_rows(shape, values_of(mask), [&](int64_t, int64_t first, const float* mask_T) {
      residual_backward_row_fast(slope, from_place(of_keep, first), mask_T, shape.time, from_place(sign, first),
                            from_place(from_sum, first), from_place(from, first), to_x + first, to_place(to_y, first));
    });
    return out;
  }
};

struct Mean : torch::autograd::Function<Mean> {
  static at::Tensor forward(AutogradContext* context, at::TensorList x, at::TensorList y, double slope) {
    VT_PROFILED_KERNEL("valetts::mean_activation", x.vec(), y.vec());
    at::Tensor rectified = y.front();
    const auto of_slope = static_cast<float>(slope);
    const int count = static_cast<int>(x.size());
    if (rectified.is_cuda()) {
#ifdef VALETTS_CUDA
      MeanDeviceInputs in{};
      in.count = count;
      for (int i = 0; i < count; ++i) {
        in.x[i] = bytes_of(x[static_cast<size_t>(i)]);
        in.y[i] = bytes_of(y[static_cast<size_t>(i)]);
      }
      launch_kernel("mean of blocks", rectified, [&](void* stream) {
        return mean_cuda(rectified.numel(), value_type_of(rectified), in, of_slope, bytes_to(rectified), stream);
      });
#endif
    } else {
      std::array<const float*, kMostMeanInputs> of_x{}, of_y{};
      for (size_t i = 0; i < x.size(); ++i) {
        of_x[i] = values_of(x[i]);
        of_y[i] = values_of(y[i]);
      }
      float* to = writable(rectified);
      over_rows(shape_of(rectified), nullptr, [&](int64_t, int64_t first, const float*) {
        MeanInputs in{};
        in.count = count;
        for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
          in.x[i] = of_x[i] + first;
          in.y[i] = of_y[i] + first;
        }
        mean_row_fast(in, of_slope, shape_of(rectified).time, to + first);
      });
    }
    context->mark_dirty({rectified});
    context->save_for_backward({rectified});
    context->saved_data["slope"] = slope;
    context->saved_data["count"] = static_cast<int64_t>(count);
    return rectified;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor rectified = context->get_saved_variables()[0];
    const int count = static_cast<int>(context->saved_data["count"].toInt());
    variable_list out(static_cast<size_t>(2 * count + 1));
    if (!gradients[0].defined()) return out;
    VT_PROFILED_KERNEL("valetts::mean_activation_backward", rectified, gradients[0]);
    const at::Tensor grad = gradients[0].to(rectified.scalar_type()).contiguous();
    const auto slope = static_cast<float>(context->saved_data["slope"].toDouble());
    const at::Tensor to = at::empty_like(rectified);
    if (to.is_cuda()) {
#ifdef VALETTS_CUDA
      launch_kernel("mean of blocks", to, [&](void* stream) {
        return mean_backward_cuda(to.numel(), value_type_of(to), count, slope, bytes_of(rectified), bytes_of(grad), bytes_to(to),
                                  stream);
      });
#endif
    } else {
      const float *sign = values_of(rectified), *from = values_of(grad);
      float* values = writable(to);
      const EpilogueShape shape = shape_of(to);
      over_rows(shape, nullptr, [&](int64_t, int64_t first, const float*) {
        mean_backward_row_fast(count, slope, shape.time, sign + first, from + first, values + first);
      });
    }
    // The same for all of them.
    std::fill(out.begin(), out.end() - 1, to);
    return out;
  }
};

bool serves(const at::Tensor& x) { return takes_kernel(x) && is_float_or_half(x) && x.is_contiguous() && x.dim() >= 3; }

bool fits(const at::Tensor& factor, const at::Tensor& x) {
  return !factor.defined() ||
         (factor.scalar_type() == at::kFloat && factor.is_contiguous() && factor.device() == x.device());
}

void check_factors(const char* operation, const at::Tensor& x, const at::Tensor& keep, const at::Tensor& mask) {
  VT_CHECK_ARG(x.dim() >= 3, operation, ": [batch, channels, ...] expected, not ", x.sizes());
  VT_CHECK_ARG(!keep.defined() || keep.sizes() == x.sizes(), operation, ": the keep mask is ", keep.sizes(), " for ", x.sizes());
  std::vector<int64_t> of_mask = x.sizes().vec();
  of_mask[1] = 1;
  VT_CHECK_ARG(!mask.defined() || mask.sizes() == at::IntArrayRef(of_mask), operation, ": the mask is ", mask.sizes(), " for ",
               x.sizes());
}

at::Tensor plain_activation(const at::Tensor& x, double slope) {
  if (slope == 1.0) return x;
  return slope == 0.0 ? at::relu(x) : at::leaky_relu(x, slope);
}

// Dropout's factors come first, as in the network.
at::Tensor weighted(at::Tensor x, const at::Tensor& keep, const at::Tensor& mask) {
  if (keep.defined()) x = x * keep;
  return mask.defined() ? x * mask : x;
}

}  // namespace

at::Tensor activated(at::Tensor x, const at::Tensor& bias_C, double slope, const at::Tensor& keep, const at::Tensor& mask) {
  check_factors("activation", x, keep, mask);
  VT_CHECK_ARG(!bias_C.defined() || bias_C.sizes() == at::IntArrayRef({x.size(1)}), "activation: the bias is ", bias_C.sizes(),
               " for ", x.sizes());
  if (serves(x) && fits(bias_C, x) && fits(keep, x) && fits(mask, x)) {
    return Activation::apply(x, if_defined(bias_C), slope, if_defined(keep), if_defined(mask));
  }
  if (bias_C.defined()) {
    std::vector<int64_t> over_channels(static_cast<size_t>(x.dim()), 1);
    over_channels[1] = -1;
    x = x + bias_C.to(x.scalar_type()).view(over_channels);
  }
  return weighted(plain_activation(x, slope), keep, mask);
}

namespace {

bool serves_residual(const at::Tensor& x, const at::Tensor& y) {
  return serves(x) && serves(y) && (x.scalar_type() == at::kFloat || x.scalar_type() == y.scalar_type());
}

void check_alike(const char* operation, const at::Tensor& x, const at::Tensor& y) {
  VT_CHECK_ARG(x.sizes() == y.sizes(), operation, ": ", y.sizes(), " beside ", x.sizes());
}

}  // namespace

std::pair<at::Tensor, at::Tensor> residual_activated(const at::Tensor& x, at::Tensor y, double slope) {
  check_factors("residual", x, {}, {});
  check_alike("residual", x, y);
  if (serves_residual(x, y)) {
    const variable_list out = Residual::apply(x, y, std::optional<double>(slope), std::nullopt, std::nullopt);
    return {out[0], out[1]};
  }
  const at::Tensor sum = x + y;
  return {sum, plain_activation(sum, slope)};
}

at::Tensor residual(const at::Tensor& x, at::Tensor y, const at::Tensor& keep, const at::Tensor& mask) {
  check_factors("residual", x, keep, mask);
  check_alike("residual", x, y);
  if (serves_residual(x, y) && fits(keep, x) && fits(mask, x)) {
    return Residual::apply(x, y, std::optional<double>(), if_defined(keep), if_defined(mask)).front();
  }
  return x + weighted(y, keep, mask);
}

at::Tensor mean_activated(const std::vector<at::Tensor>& x, std::vector<at::Tensor> y, double slope) {
  VT_CHECK_ARG(!x.empty() && x.size() == y.size() && x.size() <= kMostBlocks, "mean of blocks: ", x.size(), " and ", y.size(),
               " tensors, at most ", kMostBlocks);
  bool fused = true;
  for (size_t i = 0; i < x.size(); ++i) {
    check_factors("mean of blocks", x[i], {}, {});
    check_alike("mean of blocks", x.front(), x[i]);
    check_alike("mean of blocks", x.front(), y[i]);
    fused = fused && serves(x[i]) && serves(y[i]) && x[i].scalar_type() == y[i].scalar_type() &&
            x[i].scalar_type() == x.front().scalar_type();
  }
  if (fused) return Mean::apply(at::TensorList(x), at::TensorList(y), slope);
  at::Tensor sum;
  for (size_t i = 0; i < x.size(); ++i) sum = sum.defined() ? sum + (x[i] + y[i]) : x[i] + y[i];
  return plain_activation(sum / static_cast<double>(x.size()), slope);
}

}  // namespace valetts
