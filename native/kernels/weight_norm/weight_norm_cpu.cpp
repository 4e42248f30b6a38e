// Rows in 32 lanes: sums in a fixed order, without contraction to fused multiply-adds, so that every processor gives the
// same bits.
#include <cmath>

#include "weight_norm/weight_norm_raw.h"

#if defined(__x86_64__)
#define VT_HAS_AVX2_VARIANT 1
#else
#define VT_HAS_AVX2_VARIANT 0
#endif

#define VT_INLINE inline __attribute__((always_inline))

namespace valetts {
namespace {

constexpr int64_t kLanes = 32;

VT_INLINE float dot(const float* __restrict a, const float* __restrict b, int64_t count) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  for (int64_t lane = 0; i < count; ++i, ++lane) lanes[lane] += a[i] * b[i];
  for (int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (int64_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

VT_INLINE void forward(const float* v, float g, int64_t columns, float* __restrict w, float* norm) {
  const float length = std::sqrt(dot(v, v, columns));
  const float scale = g / length;
  for (int64_t i = 0; i < columns; ++i) w[i] = v[i] * scale;
  *norm = length;
}

VT_INLINE void backward(const float* v, float g, float norm, const float* grad_w, int64_t columns, float* __restrict grad_v,
                        float* grad_g) {
  const float product = dot(grad_w, v, columns);
  const float scale = g / norm;
  const float along = product / (norm * norm);
  for (int64_t i = 0; i < columns; ++i) grad_v[i] = scale * (grad_w[i] - v[i] * along);
  *grad_g = product / norm;
}

#if VT_HAS_AVX2_VARIANT
__attribute__((target("avx2"))) void forward_avx2(const float* v, float g, int64_t columns, float* w, float* norm) {
  forward(v, g, columns, w, norm);
}

__attribute__((target("avx2"))) void backward_avx2(const float* v, float g, float norm, const float* grad_w, int64_t columns,
                                                   float* grad_v, float* grad_g) {
  backward(v, g, norm, grad_w, columns, grad_v, grad_g);
}

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}
#endif

}  // namespace

void weight_norm_row_fast(const float* v, float g, int64_t columns, float* w, float* norm) {
#if VT_HAS_AVX2_VARIANT
  if (has_avx2()) return forward_avx2(v, g, columns, w, norm);
#endif
  forward(v, g, columns, w, norm);
}

void weight_norm_backward_row_fast(const float* v, float g, float norm, const float* grad_w, int64_t columns, float* grad_v,
                                   float* grad_g) {
#if VT_HAS_AVX2_VARIANT
  if (has_avx2()) return backward_avx2(v, g, norm, grad_w, columns, grad_v, grad_g);
#endif
  backward(v, g, norm, grad_w, columns, grad_v, grad_g);
}

}  // namespace valetts
