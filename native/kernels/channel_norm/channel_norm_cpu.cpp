// Columns side by side in vector lanes, so that a sum over the channels is a sum of vectors: 32 columns at a time, whose values
// stay in the first-level cache between the passes, then 8. The last 8 columns may overlap those before: they come out the same,
// and count once in the gradients of gamma and beta.
//
// The loops are compiled twice, for AVX2 and for every machine, without contraction to fused multiply-adds: the same bits.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "channel_norm/channel_norm_raw.h"

#if defined(__x86_64__)
#define VT_HAS_AVX2_VARIANT 1
#else
#define VT_HAS_AVX2_VARIANT 0
#endif

#define VT_INLINE inline __attribute__((always_inline))

namespace valetts {
namespace {

constexpr int64_t kLanes = kChannelNormLanes;
constexpr int64_t kWide = 4;  // vectors

using Vector = float __attribute__((vector_size(kLanes * sizeof(float))));

VT_INLINE void load(const float* from, Vector& to) { std::memcpy(&to, from, sizeof(Vector)); }
VT_INLINE void store(const Vector& from, float* to) { std::memcpy(to, &from, sizeof(Vector)); }

template <int64_t kVectors>
VT_INLINE void norm_block(int64_t channels, int64_t time, int64_t t, const float* x_CT, const float* gamma_C,
                          const float* beta_C, const float* mask_T, float* y_CT, float* mean_T, float* scale_T) {
  Vector mean[kVectors] = {}, scale[kVectors] = {}, kept[kVectors] = {}, x;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t v = 0; v < kVectors; ++v) {
      load(x_CT + c * time + t + v * kLanes, x);
      mean[v] += x;
    }
  }
  const float count = static_cast<float>(channels);
  for (int64_t v = 0; v < kVectors; ++v) mean[v] /= count;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t v = 0; v < kVectors; ++v) {
      load(x_CT + c * time + t + v * kLanes, x);
      x -= mean[v];
      scale[v] += x * x;
    }
  }
  for (int64_t v = 0; v < kVectors; ++v) {
    for (int64_t i = 0; i < kLanes; ++i) scale[v][i] = 1.0f / std::sqrt(scale[v][i] / count + kChannelNormEpsilon);
    store(mean[v], mean_T + t + v * kLanes);
    store(scale[v], scale_T + t + v * kLanes);
    if (mask_T != nullptr) load(mask_T + t + v * kLanes, kept[v]);
  }
  for (int64_t c = 0; c < channels; ++c) {
    const float gamma = gamma_C[c], beta = beta_C[c];
    for (int64_t v = 0; v < kVectors; ++v) {
      load(x_CT + c * time + t + v * kLanes, x);
      x = (x - mean[v]) * scale[v] * gamma + beta;
      if (mask_T != nullptr) x *= kept[v];
      store(x, y_CT + c * time + t + v * kLanes);
    }
  }
}

VT_INLINE void norm(int64_t channels, int64_t time, int64_t begin, int64_t end, const float* x_CT, const float* gamma_C,
                    const float* beta_C, const float* mask_T, float* y_CT, float* mean_T, float* scale_T) {
  int64_t t = begin;
  for (; t + kWide * kLanes <= end; t += kWide * kLanes) {
    norm_block<kWide>(channels, time, t, x_CT, gamma_C, beta_C, mask_T, y_CT, mean_T, scale_T);
  }
  for (; t < end; t += kLanes) {
    norm_block<1>(channels, time, std::min(t, end - kLanes), x_CT, gamma_C, beta_C, mask_T, y_CT, mean_T, scale_T);
  }
}

// sums: for each channel a vector of gamma's gradient and one of beta's. The lanes before `counted` add nothing to them.
template <int64_t kVectors>
VT_INLINE void backward_block(int64_t channels, int64_t time, int64_t t, int64_t counted, const float* x_CT,
                              const float* gamma_C, const float* mask_T, const float* mean_T, const float* scale_T,
                              const float* grad_CT, float* grad_x_CT, float* sums) {
  Vector mean[kVectors], scale[kVectors], kept[kVectors] = {}, sum[kVectors] = {}, product[kVectors] = {};
  Vector counts, of_gamma, of_beta, x, grad;
  for (int64_t i = 0; i < kLanes; ++i) counts[i] = i < counted ? 0.0f : 1.0f;
  for (int64_t v = 0; v < kVectors; ++v) {
    load(mean_T + t + v * kLanes, mean[v]);
    load(scale_T + t + v * kLanes, scale[v]);
    if (mask_T != nullptr) load(mask_T + t + v * kLanes, kept[v]);
  }
  for (int64_t c = 0; c < channels; ++c) {
    const float gamma = gamma_C[c];
    Vector to_gamma = {}, to_beta = {};
    for (int64_t v = 0; v < kVectors; ++v) {
      load(x_CT + c * time + t + v * kLanes, x);
      load(grad_CT + c * time + t + v * kLanes, grad);
      if (mask_T != nullptr) grad *= kept[v];
      const Vector weighted = grad * ((x - mean[v]) * scale[v]);
      sum[v] += grad * gamma;
      product[v] += weighted * gamma;
      to_gamma += weighted;
      to_beta += grad;
    }
    if (counted > 0) {
      to_gamma *= counts;
      to_beta *= counts;
    }
    float* at = sums + c * 2 * kLanes;
    load(at, of_gamma);
    load(at + kLanes, of_beta);
    of_gamma += to_gamma;
    of_beta += to_beta;
    store(of_gamma, at);
    store(of_beta, at + kLanes);
  }
  const float count = static_cast<float>(channels);
  for (int64_t v = 0; v < kVectors; ++v) {
    sum[v] /= count;
    product[v] /= count;
  }
  for (int64_t c = 0; c < channels; ++c) {
    const float gamma = gamma_C[c];
    for (int64_t v = 0; v < kVectors; ++v) {
      load(x_CT + c * time + t + v * kLanes, x);
      load(grad_CT + c * time + t + v * kLanes, grad);
      if (mask_T != nullptr) grad *= kept[v];
      x = (x - mean[v]) * scale[v];
      grad = scale[v] * (grad * gamma - sum[v] - x * product[v]);
      store(grad, grad_x_CT + c * time + t + v * kLanes);
    }
  }
}

VT_INLINE void backward(int64_t channels, int64_t time, int64_t begin, int64_t end, const float* x_CT,
                        const float* gamma_C, const float* mask_T, const float* mean_T, const float* scale_T,
                        const float* grad_CT, float* grad_x_CT, float* grad_gamma_C, float* grad_beta_C, float* work) {
  std::fill(work, work + 2 * channels * kLanes, 0.0f);
  int64_t t = begin;
  for (; t + kWide * kLanes <= end; t += kWide * kLanes) {
    backward_block<kWide>(channels, time, t, 0, x_CT, gamma_C, mask_T, mean_T, scale_T, grad_CT, grad_x_CT, work);
  }
  for (; t < end; t += kLanes) {
    const int64_t from = std::min(t, end - kLanes);
    backward_block<1>(channels, time, from, t - from, x_CT, gamma_C, mask_T, mean_T, scale_T, grad_CT, grad_x_CT, work);
  }
  for (int64_t c = 0; c < channels; ++c) {
    const float* at = work + c * 2 * kLanes;
    for (int64_t i = 0; i < kLanes; ++i) grad_gamma_C[c] += at[i];
    for (int64_t i = 0; i < kLanes; ++i) grad_beta_C[c] += at[kLanes + i];
  }
}

#if VT_HAS_AVX2_VARIANT
__attribute__((target("avx2"))) void norm_avx2(int64_t channels, int64_t time, int64_t begin, int64_t end,
                                               const float* x_CT, const float* gamma_C, const float* beta_C,
                                               const float* mask_T, float* y_CT, float* mean_T, float* scale_T) {
  norm(channels, time, begin, end, x_CT, gamma_C, beta_C, mask_T, y_CT, mean_T, scale_T);
}

__attribute__((target("avx2"))) void backward_avx2(int64_t channels, int64_t time, int64_t begin, int64_t end,
                                                   const float* x_CT, const float* gamma_C, const float* mask_T,
                                                   const float* mean_T, const float* scale_T, const float* grad_CT,
                                                   float* grad_x_CT, float* grad_gamma_C, float* grad_beta_C,
                                                   float* work) {
  backward(channels, time, begin, end, x_CT, gamma_C, mask_T, mean_T, scale_T, grad_CT, grad_x_CT, grad_gamma_C,
           grad_beta_C, work);
}

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}
#endif

}  // namespace

void channel_norm_columns_fast(int64_t channels, int64_t time, int64_t begin, int64_t end, const float* x_CT,
                               const float* gamma_C, const float* beta_C, const float* mask_T, float* y_CT, float* mean_T,
                               float* scale_T) {
#if VT_HAS_AVX2_VARIANT
  if (has_avx2()) {
    return norm_avx2(channels, time, begin, end, x_CT, gamma_C, beta_C, mask_T, y_CT, mean_T, scale_T);
  }
#endif
  norm(channels, time, begin, end, x_CT, gamma_C, beta_C, mask_T, y_CT, mean_T, scale_T);
}

void channel_norm_backward_columns_fast(int64_t channels, int64_t time, int64_t begin, int64_t end, const float* x_CT,
                                        const float* gamma_C, const float* mask_T, const float* mean_T,
                                        const float* scale_T, const float* grad_CT, float* grad_x_CT, float* grad_gamma_C,
                                        float* grad_beta_C, float* work) {
#if VT_HAS_AVX2_VARIANT
  if (has_avx2()) {
    return backward_avx2(channels, time, begin, end, x_CT, gamma_C, mask_T, mean_T, scale_T, grad_CT, grad_x_CT,
                         grad_gamma_C, grad_beta_C, work);
  }
#endif
  backward(channels, time, begin, end, x_CT, gamma_C, mask_T, mean_T, scale_T, grad_CT, grad_x_CT, grad_gamma_C,
           grad_beta_C, work);
}

}  // namespace valetts
