// The masked spline on raw pointers. Formulas and shapes are in spline.h.
#pragma once

#include <cstdint>

namespace valetts {

constexpr int64_t kSplineMaxBins = 16;
constexpr double kSplineMinBin = 1e-3;         // of a bin's width and height, as a share of the whole
constexpr double kSplineMinDerivative = 1e-3;

struct SplineOptions {
  int64_t bins;  // 2 to kSplineMaxBins
  float scale;   // of the widths' and heights' logits
  float bound;   // the spline works in [-bound, bound]
  bool inverse;
};

// `count` columns of one item on the CPU; the rows of h and grad_h lie `stride` apart. The plain loops, in double.
//   y_T: the masked values; log_T: the masked log-derivatives
void spline_columns(const SplineOptions& options, int64_t count, const float* x_T, const float* h_PT, int64_t stride,
                    const float* mask_T, float* y_T, float* log_T);
// grad_y_T may be null: 0. grad_log is the gradient of every log-derivative.
void spline_backward_columns(const SplineOptions& options, int64_t count, const float* x_T, const float* h_PT, int64_t stride,
                             const float* mask_T, const float* grad_y_T, float grad_log, float* grad_x_T, float* grad_h_PT);

// The same in float32, vectorised.
void spline_columns_fast(const SplineOptions& options, int64_t count, const float* x_T, const float* h_PT, int64_t stride,
                         const float* mask_T, float* y_T, float* log_T);
void spline_backward_columns_fast(const SplineOptions& options, int64_t count, const float* x_T, const float* h_PT,
                                  int64_t stride, const float* mask_T, const float* grad_y_T, float grad_log, float* grad_x_T,
                                  float* grad_h_PT);

struct SplineShape {
  int64_t batch;
  int64_t time;
  int64_t x_stride;  // between the items of x
};

// On a CUDA device; every pointer is device memory, all but x contiguous. Each returns null, or what is wrong. `stream` is a
// cudaStream_t. log_B: the sums over time.
const char* spline_cuda(const SplineOptions& options, const SplineShape& shape, const float* x_BT, const float* h_BPT,
                        const float* mask_BT, float* y_BT, float* log_B, void* stream);
// Either gradient may be null: 0. grad_x_BT is contiguous.
const char* spline_backward_cuda(const SplineOptions& options, const SplineShape& shape, const float* x_BT,
                                 const float* h_BPT, const float* mask_BT, const float* grad_y_BT, const float* grad_log_B,
                                 float* grad_x_BT, float* grad_h_BPT, void* stream);

}  // namespace valetts
