// The gate in float32, many values at a time. tanh and sigmoid share one division:
//   tanh a = -m / (2 + m),  m = exp(-2a) - 1;   sigmoid b = 1 / (1 + e),  e = exp(-b)
// m is computed as such, so that small a keep their digits. Polynomial: Cephes expf.
//
// The loops are compiled twice, for AVX2 and for every machine, without contraction to fused multiply-adds: the same bits.
#include <bit>

#include "wavenet/wavenet_raw.h"

#if defined(__x86_64__)
#define VT_HAS_AVX2_VARIANT 1
#else
#define VT_HAS_AVX2_VARIANT 0
#endif

#define VT_INLINE inline __attribute__((always_inline))

namespace valetts {
namespace {

constexpr int64_t kLanes = 8;

VT_INLINE float clamped(float x, float low, float high) {  // NaN stays
  const float above = x < low ? low : x;
  return above > high ? high : above;
}

// 2^n and e^r - 1, where x = n ln 2 + r and |r| <= ln 2 / 2; |x| <= 80.
struct Exponential {
  float scale;
  float rest;
};

VT_INLINE Exponential exponential(float x) {
  constexpr float kRounding = 12582912.0f;  // 1.5 x 2^23: adding it leaves the nearest whole number in the low bits
  const float shifted = x * 1.44269504088896341f + kRounding;
  const float n = shifted - kRounding;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const int32_t bits = (std::bit_cast<int32_t>(shifted) << 23) + 0x3F800000;
  return {std::bit_cast<float>(bits), p * (r * r) + r};
}

struct Halves {
  float m;  // exp(-2a) - 1
  float e;  // exp(-b)
};

VT_INLINE Halves halves(float a, float b) {
  const Exponential of_a = exponential(clamped(-2.0f * a, -30.0f, 30.0f));
  const Exponential of_b = exponential(clamped(-b, -80.0f, 50.0f));
  return {of_a.scale * of_a.rest + (of_a.scale - 1.0f), of_b.scale * of_b.rest + of_b.scale};
}

VT_INLINE void gate(const float* a_T, const float* b_T, float add_a, float add_b, int64_t time, float* y_T) {
  for (int64_t t = 0; t < time; ++t) {
    const Halves h = halves(a_T[t] + add_a, b_T[t] + add_b);
    y_T[t] = -h.m / ((2.0f + h.m) * (1.0f + h.e));
  }
}

VT_INLINE void gate_backward(const float* a_T, const float* b_T, float add_a, float add_b, const float* grad_T,
                             int64_t time, float* grad_a_T, float* grad_b_T, float* sum_a, float* sum_b) {
  for (int64_t t = 0; t < time; ++t) {
    const Halves h = halves(a_T[t] + add_a, b_T[t] + add_b);
    const float of_m = 2.0f + h.m, of_e = 1.0f + h.e;
    const float inverse = 1.0f / (of_m * of_e);
    const float y = -h.m * (inverse * of_e);
    const float s = inverse * of_m;
    const float weighted = grad_T[t] * s;
    grad_a_T[t] = weighted * (1.0f - y * y);
    grad_b_T[t] = weighted * y * (1.0f - s);
  }
  float parts_a[kLanes] = {}, parts_b[kLanes] = {};
  int64_t t = 0;
  for (; t + kLanes <= time; t += kLanes) {
    for (int64_t i = 0; i < kLanes; ++i) parts_a[i] += grad_a_T[t + i];
    for (int64_t i = 0; i < kLanes; ++i) parts_b[i] += grad_b_T[t + i];
  }
  float total_a = 0.0f, total_b = 0.0f;
  for (; t < time; ++t) {
    total_a += grad_a_T[t];
    total_b += grad_b_T[t];
  }
  for (int64_t i = 0; i < kLanes; ++i) {
    total_a += parts_a[i];
    total_b += parts_b[i];
  }
  *sum_a = total_a;
  *sum_b = total_b;
}

#if VT_HAS_AVX2_VARIANT
__attribute__((target("avx2"))) void gate_avx2(const float* __restrict a_T, const float* __restrict b_T, float add_a,
                                               float add_b, int64_t time, float* __restrict y_T) {
  gate(a_T, b_T, add_a, add_b, time, y_T);
}

__attribute__((target("avx2"))) void gate_backward_avx2(const float* __restrict a_T, const float* __restrict b_T,
                                                        float add_a, float add_b, const float* __restrict grad_T,
                                                        int64_t time, float* __restrict grad_a_T,
                                                        float* __restrict grad_b_T, float* sum_a, float* sum_b) {
  gate_backward(a_T, b_T, add_a, add_b, grad_T, time, grad_a_T, grad_b_T, sum_a, sum_b);
}

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}
#endif

}  // namespace

void wavenet_gate_row_fast(const float* a_T, const float* b_T, float add_a, float add_b, int64_t time, float* y_T) {
#if VT_HAS_AVX2_VARIANT
  if (has_avx2()) return gate_avx2(a_T, b_T, add_a, add_b, time, y_T);
#endif
  gate(a_T, b_T, add_a, add_b, time, y_T);
}

void wavenet_gate_backward_row_fast(const float* a_T, const float* b_T, float add_a, float add_b, const float* grad_T,
                                    int64_t time, float* grad_a_T, float* grad_b_T, float* sum_a, float* sum_b) {
#if VT_HAS_AVX2_VARIANT
  if (has_avx2()) {
    return gate_backward_avx2(a_T, b_T, add_a, add_b, grad_T, time, grad_a_T, grad_b_T, sum_a, sum_b);
  }
#endif
  gate_backward(a_T, b_T, add_a, add_b, grad_T, time, grad_a_T, grad_b_T, sum_a, sum_b);
}

}  // namespace valetts
