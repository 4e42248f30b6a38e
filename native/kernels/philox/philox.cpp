#include "philox/philox.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/check.h"

#ifdef VALETTS_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace valetts {

at::Tensor draw_BCT(DrawKind kind, const at::Tensor& key_2, uint32_t stream, const at::Tensor& ids_B, int64_t channels,
                    int64_t time, double drop_probability) {
  VT_CHECK_ARG(key_2.scalar_type() == at::kInt && key_2.numel() == 2 && key_2.is_contiguous(),
               "random draw: the key must be two int32");
  VT_CHECK_ARG(ids_B.scalar_type() == at::kLong && ids_B.dim() == 1 && ids_B.is_contiguous(),
               "random draw: one int64 for each item expected");
  VT_CHECK_ARG(key_2.device() == ids_B.device(), "random draw: the key is on ", key_2.device().str(), ", the items on ",
               ids_B.device().str());
  VT_CHECK_ARG(stream < 1u << 12 && channels >= 0 && channels <= 1 << 20 && time >= 0 && time <= int64_t{1} << 34,
               "random draw: stream ", stream, ", ", channels, " channels or ", time, " values out of range");
  VT_CHECK_ARG(drop_probability >= 0.0 && drop_probability < 1.0, "dropout probability is ", drop_probability,
               ", expected 0 or more and less than 1");
  const auto probability = static_cast<float>(drop_probability);
  const DrawShape shape{kind,     stream, ids_B.size(0), channels, time, static_cast<int32_t>(std::lround(probability * 65536.0f)),
                        1.0f / (1.0f - probability)};
  at::Tensor out_BCT = at::empty({shape.batch, channels, time}, ids_B.options().dtype(at::kFloat));
  const auto* key = reinterpret_cast<const uint32_t*>(key_2.const_data_ptr<int32_t>());
#ifdef VALETTS_CUDA
  if (ids_B.is_cuda()) {
    const c10::cuda::CUDAGuard guard(ids_B.device());
    const char* problem = philox_cuda(shape, key, ids_B.const_data_ptr<int64_t>(), out_BCT.mutable_data_ptr<float>(),
                                      c10::cuda::getCurrentCUDAStream(ids_B.device().index()).stream());
    VT_CHECK_ARG(problem == nullptr, "random draw on ", ids_B.device().str(), ": ", problem);
    return out_BCT;
  }
#endif
  VT_CHECK_ARG(ids_B.is_cpu(), "random draw: no implementation for ", ids_B.device().str());
  philox_fill(shape, key, ids_B.const_data_ptr<int64_t>(), out_BCT.mutable_data_ptr<float>());
  return out_BCT;
}

}  // namespace valetts
