#include "parity/report.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace valetts {

namespace {

constexpr double kSensitivityFactor = 8.0;
// AdamW's first step moves each element by up to the learning rate, 2e-4, in the direction of its gradient's sign, which
// reduced precision may turn where the gradient is nearly zero.
constexpr double kFirstStep = 5e-4;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

at::Tensor flat(const at::Tensor& x) { return x.detach().to(at::kCPU, at::kDouble).reshape({-1}); }

bool comparable(const at::Tensor& actual, const at::Tensor& expected) {
  return actual.defined() && expected.defined() && actual.sizes() == expected.sizes();
}

// Not a number counts as infinitely wrong.
double largest_difference(const at::Tensor& actual, const at::Tensor& expected) {
  if (expected.numel() == 0) return 0.0;
  return at::nan_to_num((flat(actual) - flat(expected)).abs(), kInfinity, kInfinity).max().item<double>();
}

}  // namespace

ParityLimits limits_of(Precision precision) {
  switch (precision) {
    case Precision::kTf32: return {2e-3, 1e-2, kFirstStep, 0.01};
    case Precision::kFp16: return {1e-2, 5e-2, kFirstStep, 0.01};
    case Precision::kBf16: return {5e-2, 1e-1, kFirstStep, 0.01};
    // Sets without a record of their own float32 error; the float32 of the recording is what differs.
    case Precision::kFp64: return {1e-4, 2e-4, 2e-6, 0.0};
    case Precision::kFp32: break;
  }
  return {1e-5, 2e-4, 2e-6, 0.0};
}

bool ParityReport::passed() const {
  return std::all_of(rows_.begin(), rows_.end(), [](const ParityRow& row) { return row.passed; });
}

void ParityReport::add(ParityKind kind, const std::string& tensor, double error, double limit) {
  rows_.push_back({set_, tensor, kind, error, limit, error <= limit});
}

void ParityReport::relative(ParityKind kind, const std::string& tensor, const at::Tensor& actual,
                            const at::Tensor& expected, double limit) {
  if (!comparable(actual, expected)) return add(kind, tensor, kInfinity, limit);
  const double difference = largest_difference(actual, expected);
  const double scale = expected.numel() == 0 ? 0.0 : flat(expected).abs().max().item<double>();
  add(kind, tensor, scale > 0.0 ? difference / scale : difference, limit);
}

void ParityReport::forward(const std::string& tensor, const at::Tensor& actual, const at::Tensor& expected) {
  relative(ParityKind::kForward, tensor, actual, expected, limits_.forward);
}

void ParityReport::gradient(const std::string& tensor, const at::Tensor& actual, const at::Tensor& expected,
                            const std::vector<at::Tensor>& perturbed) {
  double limit = limits_.gradient;
  for (const at::Tensor& other : perturbed) {
    if (!comparable(other, expected) || expected.numel() == 0) continue;
    const double scale = flat(expected).abs().max().item<double>();
    if (scale > 0.0) limit = std::max(limit, kSensitivityFactor * largest_difference(other, expected) / scale);
  }
  relative(ParityKind::kGradient, tensor, actual, expected, limit);
}

void ParityReport::parameter(const std::string& tensor, const at::Tensor& actual, const at::Tensor& expected) {
  add(ParityKind::kParameter, tensor, comparable(actual, expected) ? largest_difference(actual, expected) : kInfinity,
      limits_.parameter);
}

void ParityReport::exact(const std::string& tensor, const at::Tensor& actual, const at::Tensor& expected,
                         double tolerated) {
  if (!comparable(actual, expected)) return add(ParityKind::kExact, tensor, kInfinity, tolerated);
  const int64_t different = flat(actual).ne(flat(expected)).sum().item<int64_t>();
  add(ParityKind::kExact, tensor,
      expected.numel() == 0 ? 0.0 : static_cast<double>(different) / static_cast<double>(expected.numel()), tolerated);
}

void ParityReport::absolute(const std::string& tensor, const at::Tensor& actual, const at::Tensor& expected,
                            double limit) {
  double difference = kInfinity;
  if (comparable(actual, expected) && expected.numel() > 0) {
    // The recording holds rounded values: what vanishes when ours are rounded alike is not the arithmetic's.
    const at::Tensor ours = flat(actual), rounded = flat(actual.detach().to(expected.scalar_type())), theirs = flat(expected);
    difference = at::nan_to_num(at::minimum((ours - theirs).abs(), (rounded - theirs).abs()), kInfinity, kInfinity)
                     .max()
                     .item<double>();
  }
  add(ParityKind::kAbsolute, tensor, difference, limit);
}

void ParityReport::not_compared(const std::string& tensor) { add(ParityKind::kNotCompared, tensor, 0.0, 0.0); }

void ParityReport::fact(const std::string& tensor, bool holds) {
  add(ParityKind::kExact, tensor, holds ? 0.0 : 1.0, 0.0);
}

}  // namespace valetts
