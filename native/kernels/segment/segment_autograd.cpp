// The tensor face: checks, choice of path, and the node of the gradient.
#include "segment/segment.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/kernel_path.h"
#include "core/module_scope.h"
#include "segment/segment_raw.h"

namespace valetts {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// x[b, :, start_b : start_b + length] for each item; beyond the end `beyond` of each row, or 0.
at::Tensor slices(const at::Tensor& x_BCT, const at::Tensor& starts_B, int64_t length, const at::Tensor& beyond_C = {}) {
  const int64_t missing = length - x_BCT.size(2);
  at::Tensor padded = x_BCT;
  if (missing > 0 && beyond_C.defined()) {
    padded = at::cat({x_BCT, beyond_C.view({1, -1, 1}).expand({x_BCT.size(0), x_BCT.size(1), missing})}, 2);
  } else if (missing > 0) {
    padded = at::constant_pad_nd(x_BCT, {0, missing});
  }
  const at::Tensor positions_BL = starts_B.unsqueeze(1) + at::arange(length, starts_B.options());
  return padded.gather(2, positions_BL.unsqueeze(1).expand({-1, padded.size(1), -1}));
}

Segments plain(const at::Tensor& z_BCS, const at::Tensor& mel_BMS, const at::Tensor& samples_B1N,
               const at::Tensor& silent_mel_M, const at::Tensor& lengths_B, const at::Tensor& uniform_B, int64_t frames,
               int64_t hop) {
  const at::Tensor positions_B = (lengths_B - (frames - 1)).clamp_min(1);
  Segments out;
  out.starts_B = (uniform_B * positions_B.to(uniform_B.scalar_type())).to(at::kLong);
  out.z_BCL = slices(z_BCS, out.starts_B, frames);
  out.mel_BML = slices(mel_BMS, out.starts_B, frames, silent_mel_M);
  out.samples_B1N = slices(samples_B1N, out.starts_B * hop, frames * hop);
  return out;
}

struct Gather : torch::autograd::Function<Gather> {
  static variable_list forward(AutogradContext* context, const at::Tensor& z_BCS, const at::Tensor& mel_BMS,
                               const at::Tensor& samples_B1N, const at::Tensor& silent_mel_M, const at::Tensor& lengths_B,
                               const at::Tensor& uniform_B, int64_t frames, int64_t hop) {
    VT_PROFILED_KERNEL("valetts::segment", z_BCS, mel_BMS, samples_B1N, lengths_B, uniform_B);
    const SegmentShape shape{z_BCS.size(0), z_BCS.size(1), mel_BMS.size(1), z_BCS.size(2), samples_B1N.size(2), frames, hop};
    const at::Tensor starts_B = at::empty_like(lengths_B);
    const at::Tensor z_BCL = at::empty({shape.batch, shape.channels, frames}, z_BCS.options().requires_grad(false));
    const at::Tensor mel_BML = at::empty({shape.batch, shape.mel_bins, frames}, mel_BMS.options());
    const at::Tensor out_samples = at::empty({shape.batch, 1, frames * hop}, samples_B1N.options());
    context->save_for_backward({starts_B});
    context->mark_non_differentiable({starts_B, mel_BML, out_samples});
    context->saved_data["time"] = shape.time;
    const SegmentInputs in{values_of(z_BCS), values_of(mel_BMS), values_of(samples_B1N), values_of(silent_mel_M),
                           lengths_B.const_data_ptr<int64_t>(), values_of(uniform_B)};
    const SegmentOutputs out{starts_B.mutable_data_ptr<int64_t>(), z_BCL.mutable_data_ptr<float>(),
                             mel_BML.mutable_data_ptr<float>(), out_samples.mutable_data_ptr<float>()};
    if (z_BCS.is_cuda()) {
#ifdef VALETTS_CUDA
      launch_kernel("segment", z_BCS, [&](void* stream) { return segment_cuda(shape, in, out, stream); });
#endif
    } else {
      at::parallel_for(0, shape.batch, 1, [&](int64_t begin, int64_t end) {
        for (int64_t item = begin; item < end; ++item) segment_item(shape, item, in, out);
      });
    }
    return {starts_B, z_BCL, mel_BML, out_samples};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor starts_B = context->get_saved_variables()[0];
    variable_list out(8);
    if (!gradients[1].defined()) return out;
    VT_PROFILED_KERNEL("valetts::segment_backward", gradients[1], starts_B);
    const at::Tensor grad_BCL = gradients[1].contiguous();
    SegmentShape shape{};
    shape.batch = grad_BCL.size(0);
    shape.channels = grad_BCL.size(1);
    shape.frames = grad_BCL.size(2);
    shape.time = context->saved_data["time"].toInt();
    out[0] = at::empty({shape.batch, shape.channels, shape.time}, grad_BCL.options());
    const auto* starts = starts_B.const_data_ptr<int64_t>();
    const float* from = values_of(grad_BCL);
    auto* to = out[0].mutable_data_ptr<float>();
    if (grad_BCL.is_cuda()) {
#ifdef VALETTS_CUDA
      launch_kernel("segment", grad_BCL, [&](void* stream) { return segment_backward_cuda(shape, starts, from, to, stream); });
#endif
    } else {
      at::parallel_for(0, shape.batch, 1, [&](int64_t begin, int64_t end) {
        for (int64_t item = begin; item < end; ++item) segment_backward_item(shape, item, starts, from, to);
      });
    }
    return out;
  }
};

bool fits(const at::Tensor& x, const at::Tensor& with) {
  return x.scalar_type() == at::kFloat && x.is_contiguous() && x.device() == with.device();
}

}  // namespace

Segments gather_segments(const at::Tensor& z_BCS, const at::Tensor& mel_BMS, const at::Tensor& samples_B1N,
                         const at::Tensor& silent_mel_M, const at::Tensor& lengths_B, const at::Tensor& uniform_B,
                         int64_t frames, int64_t hop) {
  VT_CHECK_ARG(z_BCS.dim() == 3 && mel_BMS.dim() == 3 && samples_B1N.dim() == 3, "segments: latent, mel and samples are ",
               z_BCS.sizes(), ", ", mel_BMS.sizes(), " and ", samples_B1N.sizes());
  const int64_t batch = z_BCS.size(0);
  VT_CHECK_ARG(mel_BMS.size(0) == batch && mel_BMS.size(2) == z_BCS.size(2) && samples_B1N.size(0) == batch &&
                   samples_B1N.size(1) == 1 && silent_mel_M.sizes() == at::IntArrayRef({mel_BMS.size(1)}) &&
                   lengths_B.sizes() == at::IntArrayRef({batch}) && uniform_B.sizes() == at::IntArrayRef({batch}),
               "segments: latent ", z_BCS.sizes(), ", mel ", mel_BMS.sizes(), ", samples ", samples_B1N.sizes(), ", silence ",
               silent_mel_M.sizes(), ", lengths ", lengths_B.sizes(), " and draws ", uniform_B.sizes());
  VT_CHECK_ARG(frames >= 1 && hop >= 1, "segments: of ", frames, " frames of ", hop, " samples");
  if (takes_kernel(z_BCS) && fits(z_BCS, z_BCS) && fits(mel_BMS, z_BCS) && fits(samples_B1N, z_BCS) &&
      fits(silent_mel_M, z_BCS) && fits(uniform_B, z_BCS) && lengths_B.device() == z_BCS.device() &&
      lengths_B.scalar_type() == at::kLong && lengths_B.is_contiguous()) {
    const variable_list out = Gather::apply(z_BCS, mel_BMS, samples_B1N, silent_mel_M, lengths_B, uniform_B, frames, hop);
    return {out[0], out[1], out[2], out[3]};
  }
  return plain(z_BCS, mel_BMS, samples_B1N, silent_mel_M, lengths_B, uniform_B, frames, hop);
}

}  // namespace valetts
