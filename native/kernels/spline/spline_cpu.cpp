// Up to 64 columns at a time, side by side in vector lanes and in the first-level cache from one pass to the next; the same
// operations in the same order on every processor, without contraction to fused multiply-adds: the same bits.
#include <bit>
#include <cmath>
#include <limits>

#include "spline/spline_raw.h"

#if defined(__x86_64__)
#define VT_HAS_AVX2_VARIANT 1
#else
#define VT_HAS_AVX2_VARIANT 0
#endif

#define VT_INLINE inline __attribute__((always_inline))

namespace valetts {
namespace {

constexpr int64_t kBlock = 64;

VT_INLINE float larger(float a, float b) { return a > b ? a : b; }  // b where a is no number

VT_INLINE float exponential(float x) {
  constexpr float kRounding = 12582912.0f;  // 1.5 x 2^23: adding it leaves the nearest whole number in the low bits
  const float above = x < -80.0f ? -80.0f : x;  // NaN stays
  const float clamped = above > 80.0f ? 80.0f : above;
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
  return scale * (p * (r * r) + r) + scale;
}

// Of a positive, normal number; NaN of what is none.
VT_INLINE float logarithm(float x) {
  const int32_t bits = std::bit_cast<int32_t>(x);
  const int32_t low = (bits & 0x007FFFFF) | 0x3F000000;  // the mantissa in [1/2, 1)
  const float half = std::bit_cast<float>(low);
  const bool small = half < 0.707106781186547524f;
  const float e = static_cast<float>(((bits >> 23) & 0xFF) - 126) - (small ? 1.0f : 0.0f);
  const float m = (small ? half + half : half) - 1.0f;
  const float square = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const float tail = p * m * square + e * -2.12194440e-4f - 0.5f * square;
  const float result = m + tail + e * 0.693359375f;
  const bool normal = (x > 0.0f) & (x <= std::numeric_limits<float>::max());
  return normal ? result : std::numeric_limits<float>::quiet_NaN();
}

// log(1 + e) for e in [0, 1], to the last digits also where e is small.
VT_INLINE float logarithm_of_one_plus(float e) {
  const float u = 1.0f + e;
  const float part = u - 1.0f;
  const float divisor = part == 0.0f ? 1.0f : part;
  const float rounded = logarithm(u) * (e / divisor);
  return part == 0.0f ? e : rounded;
}

VT_INLINE float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

using Columns = float[kBlock];

// The inner derivatives of `count` logits, over them. Two loops: one of both is left unvectorised by g++ 12.
VT_INLINE void derivatives_of(int64_t count, float* __restrict logits) {
  Columns exponentials;
  for (int64_t t = 0; t < count; ++t) exponentials[t] = exponential(-std::abs(logits[t]));
  for (int64_t t = 0; t < count; ++t) {
    const float rise = 0.5f * (logits[t] + std::abs(logits[t]));
    logits[t] = static_cast<float>(kSplineMinDerivative) + (rise + logarithm_of_one_plus(exponentials[t]));
  }
}

// What an axis is in every column: the softmax' shares, and the edges at the lower end of each bin.
struct Axis {
  Columns shares[kSplineMaxBins];
  Columns edges[kSplineMaxBins + 1];
};

// The bin of every column and what holds there.
struct Place {
  Columns left, width, bottom, height, slope_left, slope_right;
  Columns theta, product, slope, curvature, denominator, weights, numerator;
  int32_t bin[kBlock];
};

VT_INLINE void axis_of(const SplineOptions& options, int64_t count, const float* __restrict logits, int64_t stride,
                       Axis& __restrict axis) {
  const int64_t bins = options.bins;
  const float scale = options.scale, bound = options.bound;
  Columns largest, total, sum;
  for (int64_t t = 0; t < count; ++t) largest[t] = logits[t] * scale;
  for (int64_t k = 1; k < bins; ++k) {
    for (int64_t t = 0; t < count; ++t) largest[t] = larger(logits[k * stride + t] * scale, largest[t]);
  }
  for (int64_t t = 0; t < count; ++t) total[t] = 0.0f;
  for (int64_t k = 0; k < bins; ++k) {
    for (int64_t t = 0; t < count; ++t) {
      const float share = exponential(logits[k * stride + t] * scale - largest[t]);
      axis.shares[k][t] = share;
      total[t] += share;
    }
  }
  const float least = static_cast<float>(kSplineMinBin), rest = 1.0f - least * static_cast<float>(bins);
  for (int64_t t = 0; t < count; ++t) {
    total[t] = 1.0f / total[t];
    sum[t] = 0.0f;
    axis.edges[0][t] = -bound;
    axis.edges[bins][t] = bound;
  }
  for (int64_t k = 0; k < bins; ++k) {
    for (int64_t t = 0; t < count; ++t) axis.shares[k][t] *= total[t];
    if (k + 1 == bins) break;
    for (int64_t t = 0; t < count; ++t) {
      sum[t] += least + rest * axis.shares[k][t];
      axis.edges[k + 1][t] = sum[t] * (2.0f * bound) - bound;
    }
  }
}

VT_INLINE void find(const SplineOptions& options, int64_t count, const float* __restrict u, const Axis& __restrict across,
                    const Axis& __restrict up, const float* __restrict derivatives, int64_t stride, Place& __restrict at) {
  const int64_t bins = options.bins;
  const Axis& searched = options.inverse ? up : across;
  float* __restrict slope_left = at.slope_left;
  float* __restrict slope_right = at.slope_right;
  for (int64_t t = 0; t < count; ++t) {
    at.bin[t] = 0;
    at.left[t] = across.edges[0][t];
    at.width[t] = across.edges[1][t];
    at.bottom[t] = up.edges[0][t];
    at.height[t] = up.edges[1][t];
    slope_left[t] = 0.0f;
    slope_right[t] = derivatives[t];
  }
  for (int64_t k = 1; k < bins; ++k) {
    // Row k of the derivatives is the knot at the upper end of bin k; the last bin's is the end itself.
    const float* above = derivatives + (k + 1 < bins ? k : k - 1) * stride;
    const float* below = derivatives + (k - 1) * stride;
    for (int64_t t = 0; t < count; ++t) {
      const bool beyond = u[t] >= searched.edges[k][t];
      at.bin[t] += beyond ? 1 : 0;
      at.left[t] = beyond ? across.edges[k][t] : at.left[t];
      at.width[t] = beyond ? across.edges[k + 1][t] : at.width[t];
      at.bottom[t] = beyond ? up.edges[k][t] : at.bottom[t];
      at.height[t] = beyond ? up.edges[k + 1][t] : at.height[t];
      slope_left[t] = beyond ? below[t] : slope_left[t];
      slope_right[t] = beyond ? above[t] : slope_right[t];
    }
  }
  derivatives_of(count, slope_left);
  derivatives_of(count, slope_right);
  const int32_t last = static_cast<int32_t>(bins) - 1;
  for (int64_t t = 0; t < count; ++t) {
    at.width[t] -= at.left[t];
    at.height[t] -= at.bottom[t];
    slope_left[t] = at.bin[t] == 0 ? 1.0f : slope_left[t];
    slope_right[t] = at.bin[t] == last ? 1.0f : slope_right[t];
    at.slope[t] = at.height[t] / at.width[t];
    at.curvature[t] = slope_left[t] + slope_right[t] - 2.0f * at.slope[t];
  }
  if (options.inverse) {
    for (int64_t t = 0; t < count; ++t) {
      const float rise = u[t] - at.bottom[t];
      const float a = rise * at.curvature[t] + at.height[t] * (at.slope[t] - at.slope_left[t]);
      const float b = at.height[t] * at.slope_left[t] - rise * at.curvature[t];
      const float c = -at.slope[t] * rise;
      const float discriminant = b * b - 4.0f * a * c;
      at.theta[t] = 2.0f * c / (-b - std::sqrt(discriminant < 0.0f ? 0.0f : discriminant));
    }
  } else {
    for (int64_t t = 0; t < count; ++t) at.theta[t] = (u[t] - at.left[t]) / at.width[t];
  }
  for (int64_t t = 0; t < count; ++t) {
    const float theta = at.theta[t], rest = 1.0f - theta;
    at.product[t] = theta * rest;
    at.denominator[t] = at.slope[t] + at.curvature[t] * at.product[t];
    at.weights[t] =
        at.slope_right[t] * theta * theta + 2.0f * at.slope[t] * at.product[t] + at.slope_left[t] * rest * rest;
    at.numerator[t] = at.slope[t] * at.slope[t] * at.weights[t];
  }
}

// 0 where the spline is the identity, so that what is computed there and dropped stays finite.
VT_INLINE void clipped(const SplineOptions& options, int64_t count, const float* __restrict x, float* __restrict u) {
  const float bound = options.bound;
  for (int64_t t = 0; t < count; ++t) {
    const bool inside = (x[t] >= -bound) & (x[t] <= bound);
    u[t] = inside ? x[t] : 0.0f;
  }
}

VT_INLINE void forward(const SplineOptions& options, int64_t count, const float* __restrict x, const float* __restrict h,
                       int64_t stride, const float* __restrict mask, float* __restrict y, float* __restrict log_derivative) {
  Axis across, up;
  Place at;
  Columns u;
  clipped(options, count, x, u);
  axis_of(options, count, h, stride, across);
  axis_of(options, count, h + options.bins * stride, stride, up);
  find(options, count, u, across, up, h + 2 * options.bins * stride, stride, at);
  const float bound = options.bound, sign = options.inverse ? -1.0f : 1.0f;
  const bool inverse = options.inverse;
  Columns numerators, denominators;
  for (int64_t t = 0; t < count; ++t) numerators[t] = logarithm(at.numerator[t]);
  for (int64_t t = 0; t < count; ++t) denominators[t] = logarithm(at.denominator[t]);
  for (int64_t t = 0; t < count; ++t) {
    const float rise = at.slope[t] * at.theta[t] * at.theta[t] + at.slope_left[t] * at.product[t];
    const float backwards = at.theta[t] * at.width[t] + at.left[t];
    const float forwards = at.bottom[t] + at.height[t] * rise / at.denominator[t];
    const float value = inverse ? backwards : forwards;
    const float log_of = sign * (numerators[t] - 2.0f * denominators[t]);
    const bool inside = (x[t] >= -bound) & (x[t] <= bound);
    const bool kept = mask[t] != 0.0f;
    const float masked_value = (inside ? value : x[t]) * mask[t], masked_log = (inside ? log_of : 0.0f) * mask[t];
    y[t] = kept ? masked_value : 0.0f;
    log_derivative[t] = kept ? masked_log : 0.0f;
  }
}

struct PlaceGradient {
  Columns left, width, bottom, height, slope_left, slope_right, u;
};

// The derivatives of the forward spline's value and log-derivative, weighted.
VT_INLINE void gradient_of(const Place& __restrict at, int64_t count, const float* __restrict of_value,
                           const float* __restrict of_log, PlaceGradient& __restrict out) {
  for (int64_t t = 0; t < count; ++t) {
    const float theta = at.theta[t], rest = 1.0f - theta, product = at.product[t], slope = at.slope[t];
    const float inverse = 1.0f / at.denominator[t], of_width = 1.0f / at.width[t];
    const float rise = slope * theta * theta + at.slope_left[t] * product;
    const float of_numerator = of_log[t] / at.numerator[t];
    const float of_denominator = -inverse * (2.0f * of_log[t] + of_value[t] * at.height[t] * rise * inverse);
    const float of_rise = of_value[t] * inverse * at.height[t];
    const float of_weights = of_numerator * slope * slope;
    const float of_curvature = of_denominator * product;
    const float of_product = of_rise * at.slope_left[t] + of_denominator * at.curvature[t] + 2.0f * of_weights * slope;
    const float of_slope = of_rise * theta * theta + of_denominator + 2.0f * of_numerator * slope * at.weights[t] +
                           2.0f * of_weights * product - 2.0f * of_curvature;
    const float of_theta = 2.0f * of_rise * slope * theta +
                           2.0f * of_weights * (at.slope_right[t] * theta - at.slope_left[t] * rest) +
                           of_product * (1.0f - 2.0f * theta);
    out.u[t] = of_theta * of_width;
    out.left[t] = -out.u[t];
    out.width[t] = -(of_slope * slope + of_theta * theta) * of_width;
    out.bottom[t] = of_value[t];
    out.height[t] = of_value[t] * inverse * rise + of_slope * of_width;
    out.slope_left[t] = of_rise * product + of_curvature + of_weights * rest * rest;
    out.slope_right[t] = of_curvature + of_weights * theta * theta;
  }
}

VT_INLINE void axis_gradient(const SplineOptions& options, int64_t count, const Axis& __restrict axis,
                             const int32_t* __restrict bin, const float* __restrict of_edge, const float* __restrict of_size,
                             float* __restrict grad, int64_t stride) {
  const int64_t bins = options.bins;
  const float factor =
      options.scale * (1.0f - static_cast<float>(kSplineMinBin) * static_cast<float>(bins)) * 2.0f * options.bound;
  Columns mean;
  for (int64_t t = 0; t < count; ++t) mean[t] = 0.0f;
  const auto of_share = [&](int32_t k, int64_t t) {
    const float at_bin = bin[t] == k ? of_size[t] : 0.0f;
    return bin[t] > k ? of_edge[t] : at_bin;
  };
  for (int32_t k = 0; k < bins; ++k) {
    for (int64_t t = 0; t < count; ++t) mean[t] += of_share(k, t) * axis.shares[k][t];
  }
  for (int32_t k = 0; k < bins; ++k) {
    for (int64_t t = 0; t < count; ++t) grad[k * stride + t] = factor * axis.shares[k][t] * (of_share(k, t) - mean[t]);
  }
}

VT_INLINE void backward(const SplineOptions& options, int64_t count, const float* __restrict x, const float* __restrict h,
                        int64_t stride, const float* __restrict mask, const float* __restrict grad_y, float grad_log,
                        float* __restrict grad_x, float* __restrict grad_h) {
  Axis across, up;
  Place at;
  PlaceGradient of;
  Columns u, of_value, of_log, live;
  clipped(options, count, x, u);
  axis_of(options, count, h, stride, across);
  axis_of(options, count, h + options.bins * stride, stride, up);
  const float* derivatives = h + 2 * options.bins * stride;
  find(options, count, u, across, up, derivatives, stride, at);
  const float bound = options.bound;
  for (int64_t t = 0; t < count; ++t) {
    const bool inside = (x[t] >= -bound) & (x[t] <= bound) & (mask[t] != 0.0f);
    live[t] = inside ? mask[t] : 0.0f;
    of_value[t] = grad_y == nullptr ? 0.0f : grad_y[t];
    grad_x[t] = of_value[t] * mask[t];
    of_value[t] *= live[t];
    of_log[t] = grad_log * live[t];
  }
  if (options.inverse) {
    Columns none;
    for (int64_t t = 0; t < count; ++t) {
      none[t] = 0.0f;
      of_log[t] = -of_log[t];
    }
    // x = f^-1(u) moves by du / f'(x), and by -(df/dp) / f'(x) with a parameter p.
    gradient_of(at, count, none, of_log, of);
    for (int64_t t = 0; t < count; ++t) {
      const float of_u = (of_value[t] + of.u[t]) * at.denominator[t] * at.denominator[t] / at.numerator[t];
      grad_x[t] = live[t] != 0.0f ? of_u : grad_x[t];
      of_value[t] = -of_u;
    }
    gradient_of(at, count, of_value, of_log, of);
  } else {
    gradient_of(at, count, of_value, of_log, of);
    for (int64_t t = 0; t < count; ++t) grad_x[t] = live[t] != 0.0f ? of.u[t] : grad_x[t];
  }
  for (int64_t t = 0; t < count; ++t) {
    const bool dead = live[t] == 0.0f;
    of.left[t] = dead ? 0.0f : of.left[t];
    of.width[t] = dead ? 0.0f : of.width[t];
    of.bottom[t] = dead ? 0.0f : of.bottom[t];
    of.height[t] = dead ? 0.0f : of.height[t];
    of.slope_left[t] = dead ? 0.0f : of.slope_left[t];
    of.slope_right[t] = dead ? 0.0f : of.slope_right[t];
  }
  axis_gradient(options, count, across, at.bin, of.left, of.width, grad_h, stride);
  axis_gradient(options, count, up, at.bin, of.bottom, of.height, grad_h + options.bins * stride, stride);
  float* of_derivatives = grad_h + 2 * options.bins * stride;
  for (int32_t knot = 1; knot < options.bins; ++knot) {
    const int64_t row = (knot - 1) * stride;
    for (int64_t t = 0; t < count; ++t) {
      const float from_right = at.bin[t] + 1 == knot ? of.slope_right[t] : 0.0f;
      const float of_slope = at.bin[t] == knot ? of.slope_left[t] : from_right;
      of_derivatives[row + t] = of_slope * sigmoid(derivatives[row + t]);
    }
  }
}

#if VT_HAS_AVX2_VARIANT
__attribute__((target("avx2"))) void forward_avx2(const SplineOptions& options, int64_t count, const float* x, const float* h,
                                                  int64_t stride, const float* mask, float* y, float* log_derivative) {
  forward(options, count, x, h, stride, mask, y, log_derivative);
}

__attribute__((target("avx2"))) void backward_avx2(const SplineOptions& options, int64_t count, const float* x,
                                                   const float* h, int64_t stride, const float* mask, const float* grad_y,
                                                   float grad_log, float* grad_x, float* grad_h) {
  backward(options, count, x, h, stride, mask, grad_y, grad_log, grad_x, grad_h);
}

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}
#endif

void forward_block(const SplineOptions& options, int64_t count, const float* x, const float* h, int64_t stride,
                   const float* mask, float* y, float* log_derivative) {
#if VT_HAS_AVX2_VARIANT
  if (has_avx2()) return forward_avx2(options, count, x, h, stride, mask, y, log_derivative);
#endif
  forward(options, count, x, h, stride, mask, y, log_derivative);
}

void backward_block(const SplineOptions& options, int64_t count, const float* x, const float* h, int64_t stride,
                    const float* mask, const float* grad_y, float grad_log, float* grad_x, float* grad_h) {
#if VT_HAS_AVX2_VARIANT
  if (has_avx2()) return backward_avx2(options, count, x, h, stride, mask, grad_y, grad_log, grad_x, grad_h);
#endif
  backward(options, count, x, h, stride, mask, grad_y, grad_log, grad_x, grad_h);
}

}  // namespace

void spline_columns_fast(const SplineOptions& options, int64_t count, const float* x_T, const float* h_PT, int64_t stride,
                         const float* mask_T, float* y_T, float* log_T) {
  for (int64_t t = 0; t < count; t += kBlock) {
    const int64_t columns = count - t < kBlock ? count - t : kBlock;
    forward_block(options, columns, x_T + t, h_PT + t, stride, mask_T + t, y_T + t, log_T + t);
  }
}

void spline_backward_columns_fast(const SplineOptions& options, int64_t count, const float* x_T, const float* h_PT,
                                  int64_t stride, const float* mask_T, const float* grad_y_T, float grad_log, float* grad_x_T,
                                  float* grad_h_PT) {
  for (int64_t t = 0; t < count; t += kBlock) {
    const int64_t columns = count - t < kBlock ? count - t : kBlock;
    backward_block(options, columns, x_T + t, h_PT + t, stride, mask_T + t, grad_y_T == nullptr ? nullptr : grad_y_T + t,
                   grad_log, grad_x_T + t, grad_h_PT + t);
  }
}

}  // namespace valetts
