// The rows as loops that vectorise, one for each combination of what is there. Compiled twice, for AVX2 and for every machine,
// without contraction to fused multiply-adds: the same bits, those of the plain loops.
#include "epilogue/epilogue_raw.h"

#if defined(__x86_64__)
#define VT_HAS_AVX2_VARIANT 1
#else
#define VT_HAS_AVX2_VARIANT 0
#endif

#define VT_INLINE inline __attribute__((always_inline))
// An output may be one of the inputs, place by place.
#define VT_PLACE_BY_PLACE _Pragma("GCC ivdep")

namespace valetts {
namespace {

VT_INLINE float activation(float v, float slope) {
  const float lower = slope == 0.0f ? 0.0f : v * slope;
  const float rectified = v > 0.0f ? v : lower;
  return v == v ? rectified : v;
}

VT_INLINE float slope_at(float activated, float slope) { return activated > 0.0f ? 1.0f : slope; }

template <bool kKeep, bool kMask>
VT_INLINE float times_factors(float v, const float* keep_T, const float* mask_T, int64_t t) {
  if constexpr (kKeep) v *= keep_T[t];
  if constexpr (kMask) v *= mask_T[t];
  return v;
}

// In the order of a gradient.
template <bool kKeep, bool kMask>
VT_INLINE float times_factors_back(float v, const float* keep_T, const float* mask_T, int64_t t) {
  if constexpr (kMask) v *= mask_T[t];
  if constexpr (kKeep) v *= keep_T[t];
  return v;
}

struct ActivationRow {
  float bias, slope;
  const float *keep_T, *mask_T;
  int64_t time;
  const float* x_T;
  float* y_T;

  template <bool kKeep, bool kMask>
  VT_INLINE void run() const {
    VT_PLACE_BY_PLACE
    for (int64_t t = 0; t < time; ++t) {
      y_T[t] = times_factors<kKeep, kMask>(activation(x_T[t] + bias, slope), keep_T, mask_T, t);
    }
  }
};

struct ActivationBackwardRow {
  float slope;
  const float *keep_T, *mask_T;
  int64_t time;
  const float *y_T, *grad_T;
  float* grad_x_T;

  template <bool kKeep, bool kMask>
  VT_INLINE void run() const {
    VT_PLACE_BY_PLACE
    for (int64_t t = 0; t < time; ++t) {
      grad_x_T[t] = times_factors_back<kKeep, kMask>(grad_T[t], keep_T, mask_T, t) * slope_at(y_T[t], slope);
    }
  }
};

struct ResidualRow {
  float slope;
  const float *keep_T, *mask_T;
  int64_t time;
  const float *x_T, *y_T;
  float *sum_T, *rectified_T;

  template <bool kKeep, bool kMask>
  VT_INLINE void run() const {
    if (rectified_T == nullptr) {
      VT_PLACE_BY_PLACE
      for (int64_t t = 0; t < time; ++t) sum_T[t] = x_T[t] + times_factors<kKeep, kMask>(y_T[t], keep_T, mask_T, t);
      return;
    }
    VT_PLACE_BY_PLACE
    for (int64_t t = 0; t < time; ++t) {
      const float sum = x_T[t] + times_factors<kKeep, kMask>(y_T[t], keep_T, mask_T, t);
      sum_T[t] = sum;
      rectified_T[t] = activation(sum, slope);
    }
  }
};

struct ResidualBackwardRow {
  float slope;
  const float *keep_T, *mask_T;
  int64_t time;
  const float *rectified_T, *grad_sum_T, *grad_rectified_T;
  float *grad_x_T, *grad_y_T;

  template <bool kKeep, bool kMask>
  VT_INLINE void run() const {
    const float* of_sum_T = grad_sum_T;
    if (grad_rectified_T != nullptr) {
      if (grad_sum_T == nullptr) {
        VT_PLACE_BY_PLACE
        for (int64_t t = 0; t < time; ++t) grad_x_T[t] = grad_rectified_T[t] * slope_at(rectified_T[t], slope);
      } else {
        VT_PLACE_BY_PLACE
        for (int64_t t = 0; t < time; ++t) {
          grad_x_T[t] = grad_sum_T[t] + grad_rectified_T[t] * slope_at(rectified_T[t], slope);
        }
      }
      of_sum_T = grad_x_T;
    } else {
      VT_PLACE_BY_PLACE
      for (int64_t t = 0; t < time; ++t) grad_x_T[t] = of_sum_T[t];
    }
    if (grad_y_T == nullptr) return;
    VT_PLACE_BY_PLACE
    for (int64_t t = 0; t < time; ++t) grad_y_T[t] = times_factors_back<kKeep, kMask>(of_sum_T[t], keep_T, mask_T, t);
  }
};

struct MeanRow {
  const MeanInputs& in;
  float slope;
  int64_t time;
  float* rectified_T;

  template <int kCount>
  VT_INLINE void run() const {
    const float* x[kCount];
    const float* y[kCount];
    for (int i = 0; i < kCount; ++i) {
      x[i] = in.x[i];
      y[i] = in.y[i];
    }
    VT_PLACE_BY_PLACE
    for (int64_t t = 0; t < time; ++t) {
      float sum = x[0][t] + y[0][t];
#pragma GCC unroll 8
      for (int i = 1; i < kCount; ++i) sum += x[i][t] + y[i][t];
      rectified_T[t] = activation(sum / static_cast<float>(kCount), slope);
    }
  }
};

struct MeanBackwardRow {
  int count;
  float slope;
  int64_t time;
  const float *rectified_T, *grad_T;
  float* to_T;

  VT_INLINE void run() const {
    const auto divisor = static_cast<float>(count);
    VT_PLACE_BY_PLACE
    for (int64_t t = 0; t < time; ++t) to_T[t] = grad_T[t] * slope_at(rectified_T[t], slope) / divisor;
  }
};

template <typename Row>
VT_INLINE void with_factors(const Row& row) {
  if (row.keep_T != nullptr) {
    row.mask_T != nullptr ? row.template run<true, true>() : row.template run<true, false>();
  } else {
    row.mask_T != nullptr ? row.template run<false, true>() : row.template run<false, false>();
  }
}

VT_INLINE void with_factors(const MeanBackwardRow& row) { row.run(); }

VT_INLINE void with_factors(const MeanRow& row) {
  switch (row.in.count) {
    case 1: return row.run<1>();
    case 2: return row.run<2>();
    case 3: return row.run<3>();
    case 4: return row.run<4>();
    case 5: return row.run<5>();
    case 6: return row.run<6>();
    case 7: return row.run<7>();
    default: return row.run<kMostMeanInputs>();
  }
}

#if VT_HAS_AVX2_VARIANT
template <typename Row>
__attribute__((target("avx2"))) void run_avx2(const Row& row) {
  with_factors(row);
}

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}
#endif

template <typename Row>
void run(const Row& row) {
#if VT_HAS_AVX2_VARIANT
  if (has_avx2()) return run_avx2(row);
#endif
  with_factors(row);
}

}  // namespace

void activation_row_fast(float bias, float slope, const float* keep_T, const float* mask_T, int64_t time, const float* x_T,
                         float* y_T) {
  run(ActivationRow{bias, slope, keep_T, mask_T, time, x_T, y_T});
}

void activation_backward_row_fast(float slope, const float* keep_T, const float* mask_T, int64_t time, const float* y_T,
                                  const float* grad_T, float* grad_x_T) {
  run(ActivationBackwardRow{slope, keep_T, mask_T, time, y_T, grad_T, grad_x_T});
}

void residual_row_fast(float slope, const float* keep_T, const float* mask_T, int64_t time, const float* x_T, const float* y_T,
                       float* sum_T, float* rectified_T) {
  run(ResidualRow{slope, keep_T, mask_T, time, x_T, y_T, sum_T, rectified_T});
}

void residual_backward_row_fast(float slope, const float* keep_T, const float* mask_T, int64_t time, const float* rectified_T,
                                const float* grad_sum_T, const float* grad_rectified_T, float* grad_x_T, float* grad_y_T) {
  run(ResidualBackwardRow{slope, keep_T, mask_T, time, rectified_T, grad_sum_T, grad_rectified_T, grad_x_T, grad_y_T});
}

void mean_row_fast(const MeanInputs& in, float slope, int64_t time, float* rectified_T) {
  run(MeanRow{in, slope, time, rectified_T});
}

void mean_backward_row_fast(int count, float slope, int64_t time, const float* rectified_T, const float* grad_T, float* to_T) {
  run(MeanBackwardRow{count, slope, time, rectified_T, grad_T, to_T});
}

}  // namespace valetts
