// What a parity check found: one row for each tensor compared.
#pragma once

#include <ATen/core/Tensor.h>

#include <set>
#include <string>
#include <vector>

#include "core/precision.h"

namespace valetts {

// The values of vt_parity_kind.
enum class ParityKind {
  kForward = 0,    // largest error over the recorded tensor's largest value
  kGradient = 1,   // the same, of a gradient or its norm
  kParameter = 2,  // largest absolute error of a parameter after the optimizer's step
  kExact = 3,      // share of elements that differ (paths, lengths, segment positions)
  kAbsolute = 4,  // largest absolute error
  kNotCompared = 5,  // recorded, but nothing here computes it; the error is 0
};

struct ParityRow {
  std::string set;
  std::string tensor;
  ParityKind kind = ParityKind::kForward;
  double error = 0.0;
  double limit = 0.0;
  bool passed = false;
};

// The limits of one precision, relative to the tensor's largest value.
struct ParityLimits {
  double forward;
  double gradient;
  double parameter;  // absolute
  double path;       // share of frames
};
ParityLimits limits_of(Precision precision);

class ParityReport {
 public:
  ParityReport(std::string set, Precision precision) : set_(std::move(set)), limits_(limits_of(precision)) {}

  const std::vector<ParityRow>& rows() const { return rows_; }
  const ParityLimits& limits() const { return limits_; }
  bool passed() const;

  void forward(const std::string& tensor, const at::Tensor& actual, const at::Tensor& expected);
  // `perturbed` holds the same gradient computed in float32 from weights that were moved at random by one unit in the last
  // place of the reduced type. Where the terms of a gradient nearly cancel (real against generated), that alone moves it
  // by more than the limit, and no arithmetic of that type can do better: the limit is then eight times the largest of
  // these movements.
  void gradient(const std::string& tensor, const at::Tensor& actual, const at::Tensor& expected,
                const std::vector<at::Tensor>& perturbed = {});
  void parameter(const std::string& tensor, const at::Tensor& actual, const at::Tensor& expected);
  // Equal in every element; `tolerated` is the share that may differ.
  void exact(const std::string& tensor, const at::Tensor& actual, const at::Tensor& expected, double tolerated = 0.0);
  // At most `limit` apart, absolutely.
  void absolute(const std::string& tensor, const at::Tensor& actual, const at::Tensor& expected, double limit);
  // A share of elements or frames that differ.
  void share(const std::string& tensor, double differing, double tolerated) {
    add(ParityKind::kExact, tensor, differing, tolerated);
  }
  void not_compared(const std::string& tensor);
  // A fact that holds or not, e.g. that a parameter has no gradient.
  void fact(const std::string& tensor, bool holds);

 private:
  void relative(ParityKind kind, const std::string& tensor, const at::Tensor& actual, const at::Tensor& expected,
                double limit);
  void add(ParityKind kind, const std::string& tensor, double error, double limit);

  std::string set_;
  ParityLimits limits_;
  std::vector<ParityRow> rows_;
};

}  // namespace valetts
