// One element of the spline, in the number type that is asked for: what the plain loops and the CUDA kernel share.
#pragma once

#include <cmath>

#include "spline/spline_raw.h"

#ifdef __CUDACC__
#define VT_BOTH __host__ __device__ inline
#else
#define VT_BOTH inline
#endif

namespace valetts::spline {

// One axis: the shares that the softmax gives each bin, and the edges of the bin at hand.
template <typename Real>
struct Axis {
  Real shares[kSplineMaxBins];
  Real edges[kSplineMaxBins + 1];
};

template <typename Real>
VT_BOTH Axis<Real> axis_of(const SplineOptions& options, const float* logits, int64_t stride) {
  Axis<Real> axis;
  const Real free = Real(1) - Real(kSplineMinBin) * Real(options.bins);
  Real largest = -INFINITY;
  for (int64_t k = 0; k < options.bins; ++k) {
    const Real logit = Real(logits[k * stride]) * Real(options.scale);
    axis.shares[k] = logit;
    largest = logit > largest ? logit : largest;
  }
  Real total = 0;
  for (int64_t k = 0; k < options.bins; ++k) {
    axis.shares[k] = exp(axis.shares[k] - largest);
    total += axis.shares[k];
  }
  Real sum = 0;
  axis.edges[0] = -Real(options.bound);
  for (int64_t k = 0; k < options.bins; ++k) {
    axis.shares[k] /= total;
    sum += Real(kSplineMinBin) + free * axis.shares[k];
    axis.edges[k + 1] = sum * (Real(2) * Real(options.bound)) - Real(options.bound);
  }
  axis.edges[options.bins] = Real(options.bound);
  return axis;
}

template <typename Real>
VT_BOTH Real softplus(Real x) {
  return (x > 0 ? x : Real(0)) + log1p(exp(x > 0 ? -x : x));
}

template <typename Real>
VT_BOTH Real sigmoid(Real x) {
  return Real(1) / (Real(1) + exp(-x));
}

// The bin that an element falls into, and where in it.
template <typename Real>
struct Place {
  int64_t bin;
  Real left, width, bottom, height, slope_left, slope_right;
  Real slope, curvature, theta, product, denominator, weights, numerator;
};

template <typename Real>
VT_BOTH Place<Real> place_of(const SplineOptions& options, Real u, const Axis<Real>& across, const Axis<Real>& up,
                             const float* derivatives, int64_t stride) {
  Place<Real> at;
  const Real* searched = options.inverse ? up.edges : across.edges;
  at.bin = 0;
  for (int64_t k = 1; k < options.bins; ++k) at.bin += u >= searched[k] ? 1 : 0;
  at.left = across.edges[at.bin];
  at.width = across.edges[at.bin + 1] - at.left;
  at.bottom = up.edges[at.bin];
  at.height = up.edges[at.bin + 1] - at.bottom;
  const auto derivative = [&](int64_t knot) {
    if (knot == 0 || knot == options.bins) return Real(1);
    return Real(kSplineMinDerivative) + softplus(Real(derivatives[(knot - 1) * stride]));
  };
  at.slope_left = derivative(at.bin);
  at.slope_right = derivative(at.bin + 1);
  at.slope = at.height / at.width;
  at.curvature = at.slope_left + at.slope_right - Real(2) * at.slope;
  if (options.inverse) {
    const Real rise = u - at.bottom;
    const Real a = rise * at.curvature + at.height * (at.slope - at.slope_left);
    const Real b = at.height * at.slope_left - rise * at.curvature;
    const Real c = -at.slope * rise;
    const Real discriminant = b * b - Real(4) * a * c;
    at.theta = Real(2) * c / (-b - sqrt(discriminant > 0 ? discriminant : Real(0)));
  } else {
    at.theta = (u - at.left) / at.width;
  }
  const Real rest = Real(1) - at.theta;
  at.product = at.theta * rest;
  at.denominator = at.slope + at.curvature * at.product;
  at.weights = at.slope_right * at.theta * at.theta + Real(2) * at.slope * at.product + at.slope_left * rest * rest;
  at.numerator = at.slope * at.slope * at.weights;
  return at;
}

// Gradients by the bin's quantities, from those of the value and of the log-derivative of the forward spline at theta.
template <typename Real>
struct PlaceGradient {
  Real left, width, bottom, height, slope_left, slope_right, u;
};

template <typename Real>
VT_BOTH PlaceGradient<Real> gradient_of(const Place<Real>& at, Real of_value, Real of_log) {
  const Real theta = at.theta, rest = Real(1) - theta, inverse = Real(1) / at.denominator;
  const Real rise = at.slope * theta * theta + at.slope_left * at.product;
  const Real of_numerator = of_log / at.numerator;
  const Real of_denominator = -inverse * (Real(2) * of_log + of_value * at.height * rise * inverse);
  const Real of_rise = of_value * inverse * at.height;
  const Real of_weights = of_numerator * at.slope * at.slope;
  const Real of_curvature = of_denominator * at.product;
  const Real of_product = of_rise * at.slope_left + of_denominator * at.curvature + Real(2) * of_weights * at.slope;
  const Real of_slope = of_rise * theta * theta + of_denominator + Real(2) * of_numerator * at.slope * at.weights +
                        Real(2) * of_weights * at.product - Real(2) * of_curvature;
  const Real of_theta = Real(2) * of_rise * at.slope * theta +
                        Real(2) * of_weights * (at.slope_right * theta - at.slope_left * rest) +
                        of_product * (Real(1) - Real(2) * theta);
  PlaceGradient<Real> out;
  out.u = of_theta / at.width;
  out.left = -out.u;
  out.width = -(of_slope * at.slope + of_theta * theta) / at.width;
  out.bottom = of_value;
  out.height = of_value * inverse * rise + of_slope / at.width;
  out.slope_left = of_rise * at.product + of_curvature + of_weights * rest * rest;
  out.slope_right = of_curvature + of_weights * theta * theta;
  return out;
}

// The gradients of a spline's element in either direction. The inverse's come by implicit differentiation: x = f^-1(u)
// moves by du / f'(x), and by -(df/dp) / f'(x) with a parameter p.
template <typename Real>
VT_BOTH PlaceGradient<Real> gradient_either_way(const SplineOptions& options, const Place<Real>& at, Real of_value,
                                                Real of_log) {
  if (!options.inverse) return gradient_of(at, of_value, of_log);
  const Real of_x = of_value + gradient_of(at, Real(0), -of_log).u;
  const Real of_u = of_x * at.denominator * at.denominator / at.numerator;
  PlaceGradient<Real> out = gradient_of(at, -of_u, -of_log);
  out.u = of_u;
  return out;
}

// Writes the gradients of one axis' logits, from those of the bin's first edge and size.
template <typename Real>
VT_BOTH void axis_gradient(const SplineOptions& options, const Axis<Real>& axis, int64_t bin, Real of_edge, Real of_size,
                           float* grad_logits, int64_t stride) {
  const auto of_share = [&](int64_t k) { return k < bin ? of_edge : k == bin ? of_size : Real(0); };
  Real mean = 0;
  for (int64_t k = 0; k < options.bins; ++k) mean += of_share(k) * axis.shares[k];
  const Real factor = Real(options.scale) * (Real(1) - Real(kSplineMinBin) * Real(options.bins)) * Real(2) * Real(options.bound);
  for (int64_t k = 0; k < options.bins; ++k) {
    grad_logits[k * stride] = static_cast<float>(factor * axis.shares[k] * (of_share(k) - mean));
  }
}

template <typename Real>
VT_BOTH void forward(const SplineOptions& options, float x, const float* h, int64_t stride, float mask, float* y,
                     float* log_derivative) {
  const bool inside = x >= -options.bound && x <= options.bound;
  if (!inside || mask == 0.0f) {
    *y = mask == 0.0f ? 0.0f : x * mask;
    *log_derivative = 0.0f;
    return;
  }
  const Axis<Real> across = axis_of<Real>(options, h, stride);
  const Axis<Real> up = axis_of<Real>(options, h + options.bins * stride, stride);
  const Place<Real> at = place_of<Real>(options, x, across, up, h + 2 * options.bins * stride, stride);
  const Real log_of = log(at.numerator) - Real(2) * log(at.denominator);
  const Real rise = at.slope * at.theta * at.theta + at.slope_left * at.product;
  const Real value = options.inverse ? at.theta * at.width + at.left : at.bottom + at.height * rise / at.denominator;
  *y = static_cast<float>(value * Real(mask));
  *log_derivative = static_cast<float>((options.inverse ? -log_of : log_of) * Real(mask));
}

template <typename Real>
VT_BOTH void backward(const SplineOptions& options, float x, const float* h, int64_t stride, float mask, float of_y,
                      float of_log, float* grad_x, float* grad_h) {
  const bool inside = x >= -options.bound && x <= options.bound;
  if (!inside || mask == 0.0f) {
    *grad_x = of_y * mask;
    for (int64_t p = 0; p < 3 * options.bins - 1; ++p) grad_h[p * stride] = 0.0f;
    return;
  }
  const Axis<Real> across = axis_of<Real>(options, h, stride);
  const Axis<Real> up = axis_of<Real>(options, h + options.bins * stride, stride);
  const float* derivatives = h + 2 * options.bins * stride;
  const Place<Real> at = place_of<Real>(options, x, across, up, derivatives, stride);
  const PlaceGradient<Real> of = gradient_either_way(options, at, Real(of_y) * Real(mask), Real(of_log) * Real(mask));
  *grad_x = static_cast<float>(of.u);
  axis_gradient(options, across, at.bin, of.left, of.width, grad_h, stride);
  axis_gradient(options, up, at.bin, of.bottom, of.height, grad_h + options.bins * stride, stride);
  for (int64_t knot = 1; knot < options.bins; ++knot) {
    const Real of_slope = knot == at.bin ? of.slope_left : knot == at.bin + 1 ? of.slope_right : Real(0);
    const int64_t row = (knot - 1) * stride;
    grad_h[2 * options.bins * stride + row] = static_cast<float>(of_slope * sigmoid(Real(derivatives[row])));
  }
}

}  // namespace valetts::spline
