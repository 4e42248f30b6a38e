// The tensor face: checks, choice of device, parallel over the batch.
#include "mas/mas.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "core/check.h"
#include "core/module_scope.h"
#include "core/path.h"
#include "mas/mas_raw.h"

#ifdef VALETTS_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace valetts {
namespace {

void check_lengths(const at::Tensor& lengths_B, int64_t batch, const char* name) {
  VT_CHECK_ARG(lengths_B.dim() == 1 && lengths_B.size(0) == batch, "alignment: ", name, " must hold one length for each of ",
               batch, " items");
  VT_CHECK_ARG(lengths_B.scalar_type() == at::kInt || lengths_B.scalar_type() == at::kLong, "alignment: ", name, " is ",
               c10::toString(lengths_B.scalar_type()), ", expected int32 or int64");
}

}  // namespace

at::Tensor mas_path(const at::Tensor& score_BST, const at::Tensor& text_len_B, const at::Tensor& frame_len_B) {
  VT_PROFILED_KERNEL("valetts::mas", score_BST, text_len_B, frame_len_B);
  VT_CHECK_ARG(score_BST.dim() == 3 && score_BST.scalar_type() == at::kFloat,
               "alignment: score must be float32 [batch, frames, tokens]");
  VT_CHECK_ARG(score_BST.is_contiguous(), "alignment: score must be contiguous");
  const int64_t batch = score_BST.size(0);
  const int64_t frames = score_BST.size(1);
  const int64_t tokens = score_BST.size(2);
  check_lengths(text_len_B, batch, "text_len");
  check_lengths(frame_len_B, batch, "frame_len");

#ifdef VALETTS_CUDA
  if (score_BST.is_cuda() && !on_plain_path() && text_len_B.is_cuda() && frame_len_B.is_cuda()) {
    const c10::cuda::CUDAGuard guard(score_BST.device());
    const at::Tensor device_text_len_B = text_len_B.to(at::kInt).contiguous();
    const at::Tensor device_frame_len_B = frame_len_B.to(at::kInt).contiguous();
    const int64_t scratch_bytes = mas_cuda_scratch_bytes(batch, frames, tokens);
    const at::Tensor scratch = at::empty({scratch_bytes}, score_BST.options().dtype(at::kByte));
    at::Tensor durations_BT = at::empty({batch, tokens}, score_BST.options().dtype(at::kInt));
    const char* problem = mas_cuda(score_BST.const_data_ptr<float>(), device_text_len_B.const_data_ptr<int32_t>(),
                                   device_frame_len_B.const_data_ptr<int32_t>(), batch, frames, tokens,
                                   scratch_bytes > 0 ? scratch.mutable_data_ptr() : nullptr,
                                   durations_BT.mutable_data_ptr<int32_t>(),
                                   c10::cuda::getCurrentCUDAStream(score_BST.device().index()).stream());
    VT_CHECK_ARG(problem == nullptr, "alignment on ", score_BST.device().str(), ": ", problem);
    return durations_BT;
  }
#endif

  const at::Tensor host_text_len_B = text_len_B.to(at::kCPU, at::kInt).contiguous();
  const at::Tensor host_frame_len_B = frame_len_B.to(at::kCPU, at::kInt).contiguous();
  const int32_t* text_len = host_text_len_B.const_data_ptr<int32_t>();
  const int32_t* frame_len = host_frame_len_B.const_data_ptr<int32_t>();
  for (int64_t b = 0; b < batch; ++b) {
    VT_CHECK_ARG(text_len[b] >= 1 && text_len[b] <= tokens, "alignment: item ", b, " has ", text_len[b],
                 " tokens, expected 1 to ", tokens);
    VT_CHECK_ARG(frame_len[b] >= text_len[b] && frame_len[b] <= frames, "alignment: item ", b, " has ", frame_len[b],
                 " frames, expected ", text_len[b], " (one a token) to ", frames);
  }
  const at::Tensor host_score_BST = score_BST.detach().cpu();
  const float* score = host_score_BST.const_data_ptr<float>();
  at::Tensor durations_BT = at::empty({batch, tokens}, at::kInt);
  auto* durations = durations_BT.data_ptr<int32_t>();
  const auto item = on_plain_path() ? mas_item : mas_item_fast;
  at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      item(score + b * frames * tokens, tokens, text_len[b], frame_len[b], durations + b * tokens);
    }
  });
  return durations_BT.to(score_BST.device());
}

at::Tensor token_of_frame_BS(const at::Tensor& durations_BT, int64_t frames) {
  VT_CHECK_ARG(durations_BT.dim() == 2 && durations_BT.size(1) > 0, "alignment: durations must be [batch, tokens]");
  VT_CHECK_ARG(frames >= 0, "alignment: ", frames, " frames");
  const at::Tensor ends_BT = durations_BT.detach().to(at::kLong).cumsum(1);
  const at::Tensor total_B1 = ends_BT.slice(1, ends_BT.size(1) - 1);
  const at::Tensor positions_S = at::arange(frames, ends_BT.options());
  const at::Tensor positions_BS = at::minimum(positions_S.unsqueeze(0), total_B1 - 1).contiguous();
  return at::searchsorted(ends_BT, positions_BS, /*out_int32=*/false, /*right=*/true);
}

at::Tensor expand_durations_BST(const at::Tensor& durations_BT, int64_t frames) {
  const at::Tensor token_BS = token_of_frame_BS(durations_BT, frames);
  const at::Tensor total_B1 = durations_BT.detach().to(at::kLong).sum(1, /*keepdim=*/true);
  const at::Tensor covered_BS = at::arange(frames, total_B1.options()).unsqueeze(0).lt(total_B1).to(at::kFloat);
  at::Tensor path_BST =
      at::zeros({durations_BT.size(0), frames, durations_BT.size(1)}, durations_BT.options().dtype(at::kFloat));
  return path_BST.scatter_(2, token_BS.unsqueeze(2), covered_BS.unsqueeze(2));
}

}  // namespace valetts
