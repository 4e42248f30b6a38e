// A row at a time, its even and odd samples of the doubled rate apart, so that every filter tap is a shifted row; the same
// operations in the same order on every processor, without contraction to fused multiply-adds: the same bits.
#include <algorithm>
#include <cmath>

#include "snake/snake_raw.h"

#if defined(__x86_64__)
#define VT_HAS_AVX2_VARIANT 1
#else
#define VT_HAS_AVX2_VARIANT 0
#endif

#define VT_INLINE inline __attribute__((always_inline))

namespace valetts {
namespace {

constexpr int64_t kEdge = 8;  // what a working row has on either side
constexpr int64_t kLanes = 8;
constexpr int64_t kRows = 5;

// sin and cos of x less the nearest multiple of pi, whose squares and product are those of x. |x| up to 1e4.
struct Turn {
  float sine;
  float cosine;
};

VT_INLINE Turn turn_of(float x) {
  constexpr float kRounding = 12582912.0f;  // 1.5 x 2^23: adding it leaves the nearest whole number in the low bits
  const float shifted = x * 0.318309886183790672f + kRounding;
  const float n = shifted - kRounding;
  const float r = ((x - n * 3.140625f) - n * 9.67502593994140625e-4f) - n * 1.509957990978376432e-7f;
  const float square = r * r;
  float s = -2.3889859e-8f;
  s = s * square + 2.7525562e-6f;
  s = s * square - 1.9840874e-4f;
  s = s * square + 8.3333310e-3f;
  s = s * square - 1.6666667e-1f;
  float c = -2.6051615e-7f;
  c = c * square + 2.4760495e-5f;
  c = c * square - 1.3888378e-3f;
  c = c * square + 4.1666638e-2f;
  c = c * square - 0.5f;
  return {r + r * (square * s), 1.0f + square * c};
}

// Working rows of `time` values with kEdge more on either side; the pointers are to the first value.
struct Work {
  float* in;
  float* even;
  float* odd;
  float* of_even;
  float* of_odd;
};

VT_INLINE Work rows_of(float* work, int64_t time) {
  const int64_t size = time + 2 * kEdge;
  return {work + kEdge, work + size + kEdge, work + 2 * size + kEdge, work + 3 * size + kEdge, work + 4 * size + kEdge};
}

// x with its ends going on, and the doubled rate's even and odd samples of it.
VT_INLINE void doubled(const SnakeFilter& filter, const float* __restrict x_T, int64_t time, float* __restrict in,
                       float* __restrict even, float* __restrict odd) {
  const float* f = filter.taps;
  const float first = x_T[0], last = x_T[time - 1];
  for (int64_t i = 0; i < kEdge; ++i) {
    in[-1 - i] = first;
    in[time + i] = last;
  }
  for (int64_t t = 0; t < time; ++t) in[t] = x_T[t];
  for (int64_t t = 0; t < time; ++t) {
    even[t] = 2.0f * (((f[1] * in[t + 2] + f[3] * in[t + 1]) + (f[5] * in[t] + f[7] * in[t - 1])) +
                      (f[9] * in[t - 2] + f[11] * in[t - 3]));
    odd[t] = 2.0f * (((f[0] * in[t + 3] + f[2] * in[t + 2]) + (f[4] * in[t + 1] + f[6] * in[t])) +
                     (f[8] * in[t - 1] + f[10] * in[t - 2]));
  }
}

VT_INLINE void forward(const SnakeFilter& filter, const float* __restrict x_T, float alpha, float beta, int64_t time,
                       float* __restrict y_T, float* work) {
  const Work rows = rows_of(work, time);
  float* __restrict even = rows.even;
  float* __restrict odd = rows.odd;
  doubled(filter, x_T, time, rows.in, even, odd);
  const float a = std::exp(alpha), inverse = 1.0f / (std::exp(beta) + 1e-9f);
  for (int64_t t = 0; t < time; ++t) {
    const float sine = turn_of(a * even[t]).sine;
    even[t] += inverse * (sine * sine);
  }
  for (int64_t t = 0; t < time; ++t) {
    const float sine = turn_of(a * odd[t]).sine;
    odd[t] += inverse * (sine * sine);
  }
  const float first = even[0], last = odd[time - 1];
  for (int64_t i = 0; i < kEdge; ++i) {
    even[-1 - i] = odd[-1 - i] = first;
    even[time + i] = odd[time + i] = last;
  }
  const float* f = filter.taps;
  for (int64_t t = 0; t < time; ++t) {
    const float of_even = ((f[1] * even[t - 2] + f[3] * even[t - 1]) + (f[5] * even[t] + f[7] * even[t + 1])) +
                          (f[9] * even[t + 2] + f[11] * even[t + 3]);
    const float of_odd = ((f[0] * odd[t - 3] + f[2] * odd[t - 2]) + (f[4] * odd[t - 1] + f[6] * odd[t])) +
                         (f[8] * odd[t + 1] + f[10] * odd[t + 2]);
    y_T[t] = of_even + of_odd;
  }
}

VT_INLINE float sum_of(const float* __restrict values, int64_t count) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += values[i + lane];
  }
  float total = 0.0f;
  for (; i < count; ++i) total += values[i];
  for (const float lane : lanes) total += lane;
  return total;
}

// From u and the gradient of v: over the gradient, that of u; over u, what the sample gives to alpha's; into `squares`, what
// it gives to beta's.
VT_INLINE void through_snake(float a, float inverse, int64_t time, float* __restrict u, float* __restrict grad,
                             float* __restrict squares) {
  for (int64_t t = 0; t < time; ++t) {
    const Turn turn = turn_of(a * u[t]);
    const float slope = a * inverse * (2.0f * turn.sine * turn.cosine);
    squares[t] = grad[t] * (turn.sine * turn.sine);
    u[t] *= grad[t] * slope;
    grad[t] += grad[t] * slope;
  }
}

VT_INLINE void backward(const SnakeFilter& filter, const float* __restrict x_T, float alpha, float beta,
                        const float* __restrict grad_T, int64_t time, float* __restrict grad_x_T, float* grad_alpha,
                        float* grad_beta, float* work) {
  const Work rows = rows_of(work, time);
  float *__restrict in = rows.in, *__restrict of_even = rows.of_even, *__restrict of_odd = rows.of_odd;
  const float* f = filter.taps;
  doubled(filter, x_T, time, in, rows.even, rows.odd);
  for (int64_t i = 0; i < kEdge; ++i) in[-1 - i] = in[time + i] = 0.0f;
  for (int64_t t = 0; t < time; ++t) in[t] = grad_T[t];
  constexpr int64_t kBeyond = 3;
  for (int64_t t = -kBeyond; t < time + kBeyond; ++t) {
    of_even[t] = ((f[1] * in[t + 2] + f[3] * in[t + 1]) + (f[5] * in[t] + f[7] * in[t - 1])) +
                 (f[9] * in[t - 2] + f[11] * in[t - 3]);
    of_odd[t] = ((f[0] * in[t + 3] + f[2] * in[t + 2]) + (f[4] * in[t + 1] + f[6] * in[t])) +
                (f[8] * in[t - 1] + f[10] * in[t - 2]);
  }
  // What was read beyond the ends was the outermost value.
  for (int64_t i = 1; i <= kBeyond; ++i) {
    of_even[0] += of_even[-i] + of_odd[-i];
    of_odd[time - 1] += of_even[time - 1 + i] + of_odd[time - 1 + i];
  }
  const float a = std::exp(alpha), b = std::exp(beta), inverse = 1.0f / (b + 1e-9f);
  through_snake(a, inverse, time, rows.even, of_even, in);
  float squares = sum_of(in, time);
  through_snake(a, inverse, time, rows.odd, of_odd, in);
  squares += sum_of(in, time);
  *grad_alpha = sum_of(rows.even, time) + sum_of(rows.odd, time);
  *grad_beta = -(inverse * inverse) * b * squares;
  for (int64_t i = 0; i < kEdge; ++i) of_even[-1 - i] = of_odd[-1 - i] = of_even[time + i] = of_odd[time + i] = 0.0f;
  for (int64_t t = -kBeyond; t < time + kBeyond; ++t) {
    const float by_even = ((f[1] * of_even[t - 2] + f[3] * of_even[t - 1]) + (f[5] * of_even[t] + f[7] * of_even[t + 1])) +
                          (f[9] * of_even[t + 2] + f[11] * of_even[t + 3]);
    const float by_odd = ((f[0] * of_odd[t - 3] + f[2] * of_odd[t - 2]) + (f[4] * of_odd[t - 1] + f[6] * of_odd[t])) +
                         (f[8] * of_odd[t + 1] + f[10] * of_odd[t + 2]);
    in[t] = 2.0f * (by_even + by_odd);
  }
  for (int64_t i = 1; i <= kBeyond; ++i) {
    in[0] += in[-i];
    in[time - 1] += in[time - 1 + i];
  }
  for (int64_t t = 0; t < time; ++t) grad_x_T[t] = in[t];
}

#if VT_HAS_AVX2_VARIANT
__attribute__((target("avx2"))) void forward_avx2(const SnakeFilter& filter, const float* x_T, float alpha, float beta,
                                                  int64_t time, float* y_T, float* work) {
  forward(filter, x_T, alpha, beta, time, y_T, work);
}

__attribute__((target("avx2"))) void backward_avx2(const SnakeFilter& filter, const float* x_T, float alpha, float beta,
                                                   const float* grad_T, int64_t time, float* grad_x_T, float* grad_alpha,
                                                   float* grad_beta, float* work) {
  backward(filter, x_T, alpha, beta, grad_T, time, grad_x_T, grad_alpha, grad_beta, work);
}

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}
#endif

}  // namespace

int64_t snake_work_size(int64_t time) { return kRows * (time + 2 * kEdge); }

void snake_row_fast(const SnakeFilter& filter, const float* x_T, float alpha, float beta, int64_t time, float* y_T,
                    float* work) {
#if VT_HAS_AVX2_VARIANT
  if (has_avx2()) return forward_avx2(filter, x_T, alpha, beta, time, y_T, work);
#endif
  forward(filter, x_T, alpha, beta, time, y_T, work);
}

void snake_backward_row_fast(const SnakeFilter& filter, const float* x_T, float alpha, float beta, const float* grad_T,
                             int64_t time, float* grad_x_T, float* grad_alpha, float* grad_beta, float* work) {
#if VT_HAS_AVX2_VARIANT
  if (has_avx2()) return backward_avx2(filter, x_T, alpha, beta, grad_T, time, grad_x_T, grad_alpha, grad_beta, work);
#endif
  backward(filter, x_T, alpha, beta, grad_T, time, grad_x_T, grad_alpha, grad_beta, work);
}

}  // namespace valetts
