// Layer normalisation over channels on raw pointers. Formula and shapes are in channel_norm.h.
#pragma once

#include <cstdint>

namespace valetts {

constexpr float kChannelNormEpsilon = 1e-5f;

struct ChannelNormShape {
  int64_t batch;
  int64_t channels;
  int64_t time;
};

// The columns begin .. end - 1 of one item on the CPU: x_CT and y_CT are the item's, `time` apart from channel to channel;
// mean_T and scale_T (1 / deviation) receive what the gradient needs; mask_T may be null.
// The plain loops, in double.
void channel_norm_columns(int64_t channels, int64_t time, int64_t begin, int64_t end, const float* x_CT,
                          const float* gamma_C, const float* beta_C, const float* mask_T, float* y_CT, float* mean_T,
                          float* scale_T);
// From the gradient of y, that of x in these columns; what these columns give to gamma's and beta's is added to
// grad_gamma_C and grad_beta_C.
void channel_norm_backward_columns(int64_t channels, int64_t time, int64_t begin, int64_t end, const float* x_CT,
                                   const float* gamma_C, const float* mask_T, const float* mean_T, const float* scale_T,
                                   const float* grad_CT, float* grad_x_CT, float* grad_gamma_C, float* grad_beta_C);

// The same in float32, vectorised, for end - begin >= kChannelNormLanes: y within 2e-6 of its largest value, NaN where its
// column holds one.
constexpr int64_t kChannelNormLanes = 8;
void channel_norm_columns_fast(int64_t channels, int64_t time, int64_t begin, int64_t end, const float* x_CT,
                               const float* gamma_C, const float* beta_C, const float* mask_T, float* y_CT, float* mean_T,
                               float* scale_T);
// `work`: 2 x channels x kChannelNormLanes values.
void channel_norm_backward_columns_fast(int64_t channels, int64_t time, int64_t begin, int64_t end, const float* x_CT,
                                        const float* gamma_C, const float* mask_T, const float* mean_T,
                                        const float* scale_T, const float* grad_CT, float* grad_x_CT, float* grad_gamma_C,
                                        float* grad_beta_C, float* work);

// On a CUDA device; every pointer is contiguous device memory, mask_BT may be null. Each returns null, or what is wrong.
// `stream` is a cudaStream_t.
const char* channel_norm_cuda(const ChannelNormShape& shape, const float* x_BCT, const float* gamma_C, const float* beta_C,
                              const float* mask_BT, float* y_BCT, float* mean_BT, float* scale_BT, void* stream);
const char* channel_norm_backward_cuda(const ChannelNormShape& shape, const float* x_BCT, const float* gamma_C,
                                       const float* mask_BT, const float* mean_BT, const float* scale_BT,
                                       const float* grad_BCT, float* grad_x_BCT, float* grad_gamma_C, float* grad_beta_C,
                                       void* stream);

}  // namespace valetts
