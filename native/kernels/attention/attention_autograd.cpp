// The tensor face: checks, choice of path, and the node of the gradient.
#include "attention/attention.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "attention/attention_raw.h"
#include "core/kernel_path.h"
#include "core/module_scope.h"
#include "core/precision.h"

namespace valetts {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Places band values [B,h,T,2w+1] on the diagonals of [B,h,T,T]; outside the band it is 0. Row i of the padded band,
// read back with rows one element shorter per step, is shifted right by i.
at::Tensor band_to_square(const at::Tensor& band, int64_t window) {
  const int64_t batch = band.size(0), heads = band.size(1), time = band.size(2), width = 2 * window;
  const at::Tensor padded = at::constant_pad_nd(band, {0, time});
  const at::Tensor flat = padded.flatten(2).narrow(2, 0, time * (time + width));
  return flat.view({batch, heads, time, time + width}).narrow(3, window, time);
}

// The inverse reading: the 2w+1 diagonals of [B,h,T,T] as [B,h,T,2w+1], 0 where a diagonal leaves the square.
at::Tensor square_to_band(const at::Tensor& square, int64_t window) {
  const int64_t batch = square.size(0), heads = square.size(1), time = square.size(2), width = 2 * window;
  at::Tensor flat = at::constant_pad_nd(square, {window, window}).flatten(2);
  flat = at::constant_pad_nd(flat, {0, time});
  return flat.view({batch, heads, time, time + width + 1}).narrow(3, 0, width + 1);
}

AttentionWeights plain(const at::Tensor& scores_BhTT, const at::Tensor& band_BhTW, const at::Tensor& mask_B1T,
                       const at::Tensor& keep_BThT, double scale, int64_t window) {
  const int64_t batch = scores_BhTT.size(0), heads = scores_BhTT.size(1), time = scores_BhTT.size(2);
  at::Tensor logits = window > 0 ? scores_BhTT + band_to_square(band_BhTW, window) : scores_BhTT;
  const at::Tensor valid_B1TT = mask_B1T.unsqueeze(2) * mask_B1T.unsqueeze(-1);
  logits = (logits * scale).masked_fill(valid_B1TT == 0, static_cast<double>(kMaskedLogit));
  AttentionWeights out;
  out.weights_BhTT = at::softmax(widened(logits), -1);
  if (keep_BThT.defined()) {
    out.weights_BhTT = out.weights_BhTT * keep_BThT.view({batch, time, heads, time}).permute({0, 2, 1, 3});
  }
  if (window > 0) out.diagonals_BhTW = square_to_band(out.weights_BhTT, window);
  return out;
}

// Rows of [B, heads, T, T], and where their keep masks lie in [B, T, heads, T].
struct Rows {
  AttentionShape shape;

  int64_t count() const { return shape.batch * shape.heads * shape.time; }
  int64_t query(int64_t row) const { return row % shape.time; }
  int64_t item(int64_t row) const { return row / (shape.heads * shape.time); }
  int64_t keep(int64_t row) const {
    const int64_t head = row / shape.time % shape.heads;
    return ((item(row) * shape.time + query(row)) * shape.heads + head) * shape.time;
  }
  int64_t per_task() const { return std::max<int64_t>(1, 8192 / std::max<int64_t>(1, shape.time)); }
};

float* at_offset(float* first, int64_t offset) { return first == nullptr ? nullptr : first + offset; }
const float* at_offset(const float* first, int64_t offset) { return first == nullptr ? nullptr : first + offset; }

float* writable(const at::Tensor& x) { return x.defined() ? x.mutable_data_ptr<float>() : nullptr; }

struct Weights : torch::autograd::Function<Weights> {
  static variable_list forward(AutogradContext* context, const at::Tensor& scores_BhTT,
                               const std::optional<at::Tensor>& given_band, const at::Tensor& mask_B1T,
                               const std::optional<at::Tensor>& given_keep, double scale, int64_t window) {
    const at::Tensor band_BhTW = given_band.value_or(at::Tensor()), keep_BThT = given_keep.value_or(at::Tensor());
    VT_PROFILED_KERNEL("valetts::attention_weights", scores_BhTT, band_BhTW, mask_B1T, keep_BThT);
    const Rows rows{{scores_BhTT.size(0), scores_BhTT.size(1), scores_BhTT.size(2), window, static_cast<float>(scale)}};
    const AttentionShape& shape = rows.shape;
    const at::Tensor p_BhTT = at::empty_like(scores_BhTT);
    const at::Tensor weights_BhTT = keep_BThT.defined() ? at::empty_like(scores_BhTT) : p_BhTT;
    at::Tensor diagonals_BhTW;
    if (band_BhTW.defined()) diagonals_BhTW = at::empty_like(band_BhTW);
    context->save_for_backward({p_BhTT, mask_B1T, keep_BThT});
    context->set_materialize_grads(false);
    context->saved_data["scale"] = scale;
    context->saved_data["window"] = window;
    const float *scores = values_of(scores_BhTT), *band = values_of(band_BhTW), *mask = values_of(mask_B1T),
                *keep = values_of(keep_BThT);
    float *p = writable(p_BhTT), *weights = writable(weights_BhTT), *diagonals = writable(diagonals_BhTW);
    if (scores_BhTT.is_cuda()) {
#ifdef VALETTS_CUDA
      launch_kernel("attention", scores_BhTT, [&](void* stream) {
        return attention_cuda(shape, scores, band, mask, keep, p, weights, diagonals, stream);
      });
#endif
    } else {
      at::parallel_for(0, rows.count(), rows.per_task(), [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          const int64_t first = row * shape.time, in_band = row * (2 * window + 1);
          attention_row_fast(shape, rows.query(row), scores + first, at_offset(band, in_band),
                             mask + rows.item(row) * shape.time, at_offset(keep, keep == nullptr ? 0 : rows.keep(row)), p + first,
                             weights + first, at_offset(diagonals, in_band));
        }
      });
    }
    if (!diagonals_BhTW.defined()) return {weights_BhTT};
    return {weights_BhTT, diagonals_BhTW};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &p_BhTT = saved[0], &mask_B1T = saved[1], &keep_BThT = saved[2];
    const at::Tensor of_weights = gradients[0].defined() ? gradients[0].contiguous() : at::Tensor();
    const at::Tensor of_diagonals =
        gradients.size() > 1 && gradients[1].defined() ? gradients[1].contiguous() : at::Tensor();
    if (!of_weights.defined() && !of_diagonals.defined()) return variable_list(6);
    VT_PROFILED_KERNEL("valetts::attention_weights_backward", p_BhTT, mask_B1T, keep_BThT, of_weights, of_diagonals);
    const int64_t window = context->saved_data["window"].toInt();
    const Rows rows{{p_BhTT.size(0), p_BhTT.size(1), p_BhTT.size(2), window,
                     static_cast<float>(context->saved_data["scale"].toDouble())}};
    const AttentionShape& shape = rows.shape;
    const at::Tensor grad_scores = at::empty_like(p_BhTT);
    at::Tensor grad_band;
    if (gradients.size() > 1) {
      grad_band = at::empty({shape.batch, shape.heads, shape.time, 2 * window + 1}, p_BhTT.options());
    }
    const float *p = values_of(p_BhTT), *mask = values_of(mask_B1T), *keep = values_of(keep_BThT),
                *from = values_of(of_weights), *from_diagonals = values_of(of_diagonals);
    float *to = writable(grad_scores), *to_band = writable(grad_band);
    if (p_BhTT.is_cuda()) {
#ifdef VALETTS_CUDA
      launch_kernel("attention", p_BhTT, [&](void* stream) {
        return attention_backward_cuda(shape, p, mask, keep, from, from_diagonals, to, to_band, stream);
      });
#endif
    } else {
      at::parallel_for(0, rows.count(), rows.per_task(), [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          const int64_t first = row * shape.time, in_band = row * (2 * window + 1);
          attention_backward_row_fast(shape, rows.query(row), p + first, mask + rows.item(row) * shape.time,
                                      at_offset(keep, keep == nullptr ? 0 : rows.keep(row)), at_offset(from, first),
                                      at_offset(from_diagonals, in_band), to + first, at_offset(to_band, in_band));
        }
      });
    }
    return {grad_scores, grad_band, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

bool fits(const at::Tensor& x, const at::Tensor& scores) {
  return !x.defined() || (x.scalar_type() == at::kFloat && x.is_contiguous() && x.device() == scores.device());
}

}  // namespace

AttentionWeights attention_weights(const at::Tensor& scores_BhTT, const at::Tensor& band_BhTW, const at::Tensor& mask_B1T,
                                   const at::Tensor& keep_BThT, double scale, int64_t window) {
  VT_CHECK_ARG(scores_BhTT.dim() == 4 && scores_BhTT.size(2) == scores_BhTT.size(3),
               "attention: scores are [batch, heads, time, time], not ", scores_BhTT.sizes());
  const int64_t batch = scores_BhTT.size(0), heads = scores_BhTT.size(1), time = scores_BhTT.size(2);
  VT_CHECK_ARG(window >= 0 && band_BhTW.defined() == (window > 0), "attention: a window of ", window,
               band_BhTW.defined() ? " with" : " without", " a band");
  VT_CHECK_ARG(!band_BhTW.defined() || band_BhTW.sizes() == at::IntArrayRef({batch, heads, time, 2 * window + 1}),
               "attention: the band must be [batch, heads, time, 2 window + 1], not ", band_BhTW.sizes());
  VT_CHECK_ARG(mask_B1T.sizes() == at::IntArrayRef({batch, 1, time}), "attention: the mask must be [batch, 1, time], not ",
               mask_B1T.sizes());
  VT_CHECK_ARG(!keep_BThT.defined() || keep_BThT.sizes() == at::IntArrayRef({batch, time * heads, time}),
               "attention: the keep mask must be [batch, time heads, time], not ", keep_BThT.sizes());
  if (takes_kernel(scores_BhTT) && scores_BhTT.scalar_type() != at::kDouble && fits(mask_B1T, scores_BhTT) &&
      fits(keep_BThT, scores_BhTT)) {
    const at::Tensor band = band_BhTW.defined() ? widened(band_BhTW).contiguous() : band_BhTW;
    const variable_list out = Weights::apply(widened(scores_BhTT).contiguous(), if_defined(band), mask_B1T,
                                             if_defined(keep_BThT), scale, window);
    return {out[0], out.size() > 1 ? out[1] : at::Tensor()};
  }
  return plain(scores_BhTT, band_BhTW, mask_B1T, keep_BThT, scale, window);
}

}  // namespace valetts
