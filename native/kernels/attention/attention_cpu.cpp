// A row at a time, many keys at a time: logits, exponentials and weights stay in the first-level cache between the passes.
// Compiled twice, for AVX2 and for every machine, without contraction to fused multiply-adds: the same bits.
#include <algorithm>
#include <bit>
#include <cmath>

#include "attention/attention_raw.h"

#if defined(__x86_64__)
#define VT_HAS_AVX2_VARIANT 1
#else
#define VT_HAS_AVX2_VARIANT 0
#endif

#define VT_INLINE inline __attribute__((always_inline))

namespace valetts {
namespace {

// Partial sums and maxima, in an order that depends on the length alone.
constexpr int64_t kLanes = 16;

VT_INLINE float larger(float a, float b) { return a > b ? a : b; }  // b where a is no number

// e^x for x at most 0; 0 below -87. Polynomial: Cephes expf.
VT_INLINE float exponential(float x) {
  constexpr float kRounding = 12582912.0f;  // 1.5 x 2^23: adding it leaves the nearest whole number in the low bits
  const float clamped = x < -87.0f ? -87.0f : x;  // NaN stays
  const float shifted = clamped * 1.44269504088896341f + kRounding;
  const float n = shifted - kRounding;
  const float r = (clamped - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float scale = std::bit_cast<float>((std::bit_cast<int32_t>(shifted) << 23) + 0x3F800000);
  const float value = scale * (p * (r * r) + r) + scale;
  return x < -87.0f ? 0.0f : value;
}

VT_INLINE float largest_of(const float* __restrict x, int64_t count) {
  float lanes[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) lanes[i] = -INFINITY;
  int64_t s = 0;
  for (; s + kLanes <= count; s += kLanes) {
    for (int64_t i = 0; i < kLanes; ++i) lanes[i] = larger(x[s + i], lanes[i]);
  }
  float largest = -INFINITY;
  for (; s < count; ++s) largest = larger(x[s], largest);
  for (int64_t i = 0; i < kLanes; ++i) largest = larger(lanes[i], largest);
  return largest;
}

VT_INLINE float sum_of(const float* __restrict x, int64_t count) {
  float lanes[kLanes] = {};
  int64_t s = 0;
  for (; s + kLanes <= count; s += kLanes) {
    for (int64_t i = 0; i < kLanes; ++i) lanes[i] += x[s + i];
  }
  float total = 0.0f;
  for (; s < count; ++s) total += x[s];
  for (int64_t i = 0; i < kLanes; ++i) total += lanes[i];
  return total;
}

VT_INLINE float product_of(const float* __restrict x, const float* __restrict y, int64_t count) {
  float lanes[kLanes] = {};
  int64_t s = 0;
  for (; s + kLanes <= count; s += kLanes) {
    for (int64_t i = 0; i < kLanes; ++i) lanes[i] += x[s + i] * y[s + i];
  }
  float total = 0.0f;
  for (; s < count; ++s) total += x[s] * y[s];
  for (int64_t i = 0; i < kLanes; ++i) total += lanes[i];
  return total;
}

// The keys that the window reaches from query t, first to last - 1.
struct Reach {
  int64_t first, last;
};

VT_INLINE Reach reach_of(const AttentionShape& shape, int64_t t) {
  return {std::max<int64_t>(0, t - shape.window), std::min(shape.time, t + shape.window + 1)};
}

VT_INLINE void diagonals_of(const AttentionShape& shape, int64_t t, const float* from_T, float* to_W) {
  const Reach reach = reach_of(shape, t);
  std::fill(to_W, to_W + 2 * shape.window + 1, 0.0f);
  for (int64_t s = reach.first; s < reach.last; ++s) to_W[s - t + shape.window] = from_T[s];
}

VT_INLINE void row(const AttentionShape& shape, int64_t t, const float* __restrict scores_T, const float* __restrict band_W,
                   const float* __restrict mask_T, const float* __restrict keep_T, float* __restrict p_T, float* weights_T,
                   float* __restrict diagonals_W) {
  const int64_t time = shape.time;
  const float scale = shape.scale;
  if (mask_T[t] == 0.0f) {
    const float p = 1.0f / static_cast<float>(time);
    for (int64_t s = 0; s < time; ++s) p_T[s] = p;
  } else {
    for (int64_t s = 0; s < time; ++s) p_T[s] = scores_T[s] * scale;
    if (band_W != nullptr) {
      const Reach reach = reach_of(shape, t);
      for (int64_t s = reach.first; s < reach.last; ++s) p_T[s] = (scores_T[s] + band_W[s - t + shape.window]) * scale;
    }
    for (int64_t s = 0; s < time; ++s) p_T[s] = mask_T[s] == 0.0f ? kMaskedLogit : p_T[s];
    const float largest = largest_of(p_T, time);
    for (int64_t s = 0; s < time; ++s) p_T[s] = exponential(p_T[s] - largest);
    const float inverse = 1.0f / sum_of(p_T, time);
    for (int64_t s = 0; s < time; ++s) p_T[s] *= inverse;
  }
  if (keep_T != nullptr) {
    for (int64_t s = 0; s < time; ++s) weights_T[s] = p_T[s] * keep_T[s];
  }
  if (diagonals_W != nullptr) diagonals_of(shape, t, keep_T == nullptr ? p_T : weights_T, diagonals_W);
}

VT_INLINE void backward_row(const AttentionShape& shape, int64_t t, const float* __restrict p_T,
                            const float* __restrict mask_T, const float* __restrict keep_T,
                            const float* __restrict grad_weights_T, const float* __restrict grad_diagonals_W,
                            float* __restrict to_T, float* __restrict grad_band_W) {
  const int64_t time = shape.time;
  if (mask_T[t] == 0.0f) {
    std::fill(to_T, to_T + time, 0.0f);
  } else {
    if (grad_weights_T != nullptr) {
      std::copy(grad_weights_T, grad_weights_T + time, to_T);
    } else {
      std::fill(to_T, to_T + time, 0.0f);
    }
    if (grad_diagonals_W != nullptr) {
      const Reach reach = reach_of(shape, t);
      for (int64_t s = reach.first; s < reach.last; ++s) to_T[s] += grad_diagonals_W[s - t + shape.window];
    }
    if (keep_T != nullptr) {
      for (int64_t s = 0; s < time; ++s) to_T[s] *= keep_T[s];
    }
    const float dot = product_of(p_T, to_T, time), scale = shape.scale;
    for (int64_t s = 0; s < time; ++s) {
      const float grad = p_T[s] * (to_T[s] - dot) * scale;
      to_T[s] = mask_T[s] == 0.0f ? 0.0f : grad;
    }
  }
  if (grad_band_W != nullptr) diagonals_of(shape, t, to_T, grad_band_W);
}

#if VT_HAS_AVX2_VARIANT
__attribute__((target("avx2"))) void row_avx2(const AttentionShape& shape, int64_t t, const float* scores_T,
                                              const float* band_W, const float* mask_T, const float* keep_T, float* p_T,
                                              float* weights_T, float* diagonals_W) {
  row(shape, t, scores_T, band_W, mask_T, keep_T, p_T, weights_T, diagonals_W);
}

__attribute__((target("avx2"))) void backward_row_avx2(const AttentionShape& shape, int64_t t, const float* p_T,
                                                       const float* mask_T, const float* keep_T, const float* grad_weights_T,
                                                       const float* grad_diagonals_W, float* grad_scores_T,
                                                       float* grad_band_W) {
  backward_row(shape, t, p_T, mask_T, keep_T, grad_weights_T, grad_diagonals_W, grad_scores_T, grad_band_W);
}

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}
#endif

}  // namespace

void attention_row_fast(const AttentionShape& shape, int64_t t, const float* scores_T, const float* band_W,
                        const float* mask_T, const float* keep_T, float* p_T, float* weights_T, float* diagonals_W) {
#if VT_HAS_AVX2_VARIANT
  if (has_avx2()) return row_avx2(shape, t, scores_T, band_W, mask_T, keep_T, p_T, weights_T, diagonals_W);
#endif
  row(shape, t, scores_T, band_W, mask_T, keep_T, p_T, weights_T, diagonals_W);
}

void attention_backward_row_fast(const AttentionShape& shape, int64_t t, const float* p_T, const float* mask_T,
                                 const float* keep_T, const float* grad_weights_T, const float* grad_diagonals_W,
                                 float* grad_scores_T, float* grad_band_W) {
#if VT_HAS_AVX2_VARIANT
  if (has_avx2()) {
    return backward_row_avx2(shape, t, p_T, mask_T, keep_T, grad_weights_T, grad_diagonals_W, grad_scores_T, grad_band_W);
  }
#endif
  backward_row(shape, t, p_T, mask_T, keep_T, grad_weights_T, grad_diagonals_W, grad_scores_T, grad_band_W);
}

}  // namespace valetts
