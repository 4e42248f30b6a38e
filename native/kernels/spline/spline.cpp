#include "spline/spline.h"

#include <ATen/ATen.h>

#include <cmath>

namespace valetts {

namespace {

constexpr double kMinBinWidth = 1e-3;
constexpr double kMinBinHeight = 1e-3;
constexpr double kMinDerivative = 1e-3;
constexpr double kSearchMargin = 1e-6;

struct Bins {
  at::Tensor edges;  // [..., bins+1]
  at::Tensor sizes;  // [..., bins]
};

Bins normalised_bins(const at::Tensor& logits, double minimum, double bound) {
  const int64_t count = logits.size(-1);
  at::Tensor sizes = at::softmax(logits, -1) * (1.0 - minimum * static_cast<double>(count)) + minimum;
  at::Tensor inner = at::cumsum(sizes, -1).narrow(-1, 0, count - 1) * (2.0 * bound) - bound;
  // The outer edges are exact, so that the tails join without a gap.
  at::Tensor edge = at::full_like(logits.narrow(-1, 0, 1), bound);
  Bins bins;
  bins.edges = at::cat({-edge, inner, edge}, -1);
  bins.sizes = bins.edges.narrow(-1, 1, count) - bins.edges.narrow(-1, 0, count);
  return bins;
}

}  // namespace

std::pair<at::Tensor, at::Tensor> rational_quadratic_spline(const at::Tensor& x, const at::Tensor& widths,
                                                            const at::Tensor& heights, const at::Tensor& derivatives,
                                                            bool inverse, double tail_bound) {
  const at::Tensor inside = (x >= -tail_bound) & (x <= tail_bound);
  const at::Tensor u = at::where(inside, x, at::zeros_like(x));

  const Bins across = normalised_bins(widths, kMinBinWidth, tail_bound);
  const Bins up = normalised_bins(heights, kMinBinHeight, tail_bound);
  // Slope 1 at both ends continues the linear tails.
  const double end_logit = std::log(std::exp(1.0 - kMinDerivative) - 1.0);
  const at::Tensor slopes =
      at::softplus(at::constant_pad_nd(derivatives, {1, 1}, end_logit)) + kMinDerivative;

  const at::Tensor& searched = inverse ? up.edges : across.edges;
  const int64_t count = widths.size(-1);
  at::Tensor limits = searched.detach().clone();
  limits.select(-1, count).add_(kSearchMargin);
  const at::Tensor bin = ((u.unsqueeze(-1) >= limits).sum(-1, true) - 1).clamp(0, count - 1);
  auto at_bin = [&bin](const at::Tensor& values) { return values.gather(-1, bin).squeeze(-1); };

  const at::Tensor left = at_bin(across.edges), width = at_bin(across.sizes);
  const at::Tensor bottom = at_bin(up.edges), height = at_bin(up.sizes);
  const at::Tensor slope = height / width;
  const at::Tensor slope_left = at_bin(slopes);
  const at::Tensor slope_right = at_bin(slopes.narrow(-1, 1, count));
  const at::Tensor curvature = slope_left + slope_right - 2.0 * slope;

  at::Tensor theta;
  if (inverse) {
    const at::Tensor rise = u - bottom;
    const at::Tensor a = rise * curvature + height * (slope - slope_left);
    const at::Tensor b = height * slope_left - rise * curvature;
    const at::Tensor c = -slope * rise;
    const at::Tensor discriminant = (b * b - 4.0 * a * c).clamp_min(0.0);
    theta = (2.0 * c) / (-b - at::sqrt(discriminant));
  } else {
    theta = (u - left) / width;
  }
  const at::Tensor product = theta * (1.0 - theta);
  const at::Tensor denominator = slope + curvature * product;
  const at::Tensor numerator =
      slope * slope * (slope_right * theta * theta + 2.0 * slope * product + slope_left * at::square(1.0 - theta));
  at::Tensor log_derivative = at::log(numerator) - 2.0 * at::log(denominator);
  at::Tensor y;
  if (inverse) {
    y = theta * width + left;
    log_derivative = -log_derivative;
  } else {
    y = bottom + height * (slope * theta * theta + slope_left * product) / denominator;
  }
  return {at::where(inside, y, x), at::where(inside, log_derivative, at::zeros_like(x))};
}

}  // namespace valetts
