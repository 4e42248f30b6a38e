// The filter, and the plain loops that the vectorised rows and the CUDA kernel are checked against.
#include <algorithm>
#include <cmath>
#include <vector>

#include "snake/snake_raw.h"

namespace valetts {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kCutoff = 0.25;     // of the doubled rate
constexpr double kHalfWidth = 0.3;
constexpr int kBefore = 5;           // taps before the middle

// The modified Bessel function of order 0, by its series.
double bessel(double x) {
  double term = 1.0, sum = 1.0;
  for (int k = 1; k < 60; ++k) {
    term *= (x / (2.0 * k)) * (x / (2.0 * k));
    sum += term;
  }
  return sum;
}

double kaiser_shape() {
  const double attenuation = 2.285 * (kSnakeTaps / 2 - 1) * kPi * 4.0 * kHalfWidth + 7.95;
  if (attenuation > 50.0) return 0.1102 * (attenuation - 8.7);
  if (attenuation >= 21.0) return 0.5842 * std::pow(attenuation - 21.0, 0.4) + 0.07886 * (attenuation - 21.0);
  return 0.0;
}

int64_t within(int64_t index, int64_t count) { return std::min(std::max<int64_t>(index, 0), count - 1); }

std::vector<double> doubled(const float* x_T, int64_t time, const SnakeFilter& filter) {
  std::vector<double> u(static_cast<size_t>(2 * time));
  for (int64_t i = 0; i < 2 * time; ++i) {
    for (int64_t s = -kSnakeTaps; s < time + kSnakeTaps; ++s) {
      const int64_t tap = i + kBefore - 2 * s;
      if (tap >= 0 && tap < kSnakeTaps) u[i] += 2.0 * filter.taps[tap] * x_T[within(s, time)];
    }
  }
  return u;
}

}  // namespace

SnakeFilter snake_filter() {
  const double shape = kaiser_shape();
  double taps[kSnakeTaps], sum = 0.0;
  for (int i = 0; i < kSnakeTaps; ++i) {
    const double position = 2.0 * i / (kSnakeTaps - 1) - 1.0;
    const double window = bessel(shape * std::sqrt(1.0 - position * position)) / bessel(shape);
    const double angle = 2.0 * kPi * kCutoff * (i - kSnakeTaps / 2 + 0.5);
    taps[i] = window * std::sin(angle) / angle;
    sum += taps[i];
  }
  SnakeFilter filter{};
  for (int i = 0; i < kSnakeTaps; ++i) filter.taps[i] = static_cast<float>(taps[i] / sum);
  return filter;
}

void snake_row(const float* x_T, float alpha, float beta, int64_t time, float* y_T) {
  const SnakeFilter filter = snake_filter();
  std::vector<double> v = doubled(x_T, time, filter);
  for (double& value : v) value += std::pow(std::sin(std::exp(double{alpha}) * value), 2) / (std::exp(double{beta}) + 1e-9);
  for (int64_t t = 0; t < time; ++t) {
    double sum = 0.0;
    for (int tap = 0; tap < kSnakeTaps; ++tap) sum += filter.taps[tap] * v[within(2 * t + tap - kBefore, 2 * time)];
    y_T[t] = static_cast<float>(sum);
  }
}

void snake_backward_row(const float* x_T, float alpha, float beta, const float* grad_T, int64_t time, float* grad_x_T,
                        float* grad_alpha, float* grad_beta) {
  const SnakeFilter filter = snake_filter();
  const std::vector<double> u = doubled(x_T, time, filter);
  std::vector<double> of_v(u.size()), of_x(static_cast<size_t>(time));
  for (int64_t t = 0; t < time; ++t) {
    for (int tap = 0; tap < kSnakeTaps; ++tap) {
      of_v[within(2 * t + tap - kBefore, 2 * time)] += double{filter.taps[tap]} * grad_T[t];
    }
  }
  const double a = std::exp(double{alpha}), b = std::exp(double{beta}), inverse = 1.0 / (b + 1e-9);
  double of_alpha = 0.0, of_beta = 0.0;
  for (int64_t i = 0; i < 2 * time; ++i) {
    const double turn = inverse * std::sin(2.0 * a * u[i]);
    of_alpha += of_v[i] * turn * a * u[i];
    of_beta -= of_v[i] * inverse * inverse * b * std::pow(std::sin(a * u[i]), 2);
    const double of_u = of_v[i] * (1.0 + a * turn);
    for (int64_t s = -kSnakeTaps; s < time + kSnakeTaps; ++s) {
      const int64_t tap = i + kBefore - 2 * s;
      if (tap >= 0 && tap < kSnakeTaps) of_x[within(s, time)] += 2.0 * filter.taps[tap] * of_u;
    }
  }
  for (int64_t t = 0; t < time; ++t) grad_x_T[t] = static_cast<float>(of_x[t]);
  *grad_alpha = static_cast<float>(of_alpha);
  *grad_beta = static_cast<float>(of_beta);
}

}  // namespace valetts
