#include "least_squares/least_squares.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <limits>

#include "core/check.h"
#include "kernels/gradient_checks.h"

namespace valetts {
namespace {

using namespace testing;

Call distance_from(const std::vector<double>& targets) {
  return [targets](const std::vector<at::Tensor>& in) { return std::vector<at::Tensor>{least_squares(in, targets)}; };
}

std::vector<at::Tensor> logits_of(int64_t batch) {
  std::vector<at::Tensor> logits;
  for (const int64_t length : {1, 2, 31, 32, 33, 129, 1134}) logits.push_back(normal(batch, length, 1, length).view({batch, length}));
  return logits;
}

}  // namespace

TEST_SUITE_BEGIN("kernels/least_squares");

TEST_CASE("least squares equal libtorch's operations, gradients included, for every number of targets and tensors") {
  for (const int64_t batch : {2, 16}) {
    CAPTURE(batch);
    const std::vector<at::Tensor> logits = logits_of(batch);
    check_against_plain(distance_from({1.0}), logits, 1e-6);
    check_against_plain(distance_from({1.0, 0.0}), logits, 1e-6);
    check_against_plain(distance_from({1.0, 0.0}), {logits[3]}, 1e-6);
  }
}

TEST_CASE("the parts are those of real and generated items") {
  const at::Tensor x = at::tensor({1.0f, 3.0f, 2.0f, -2.0f}).view({2, 2});
  VT_CHECK_CLOSE(least_squares({x}, {1.0, 0.0}), at::tensor({2.0f, 4.0f}).view({1, 2}), 1e-7);
  VT_CHECK_CLOSE(least_squares({x}, {1.0}), at::tensor({3.5f}).view({1, 1}), 1e-7);
  CHECK(std::isnan(least_squares({at::full({2, 2}, std::numeric_limits<float>::quiet_NaN())}, {1.0}).item<float>()));
}

TEST_CASE("gradients in float64 agree with differences") {
  check_differences(distance_from({1.0, 0.0}), {normal(2, 5, 1, 1).view({2, 5}), normal(2, 3, 1, 2).view({2, 3})});
}

TEST_CASE("inputs unchanged; other layouts and half precision are served") {
  const at::Tensor x = normal(4, 8, 1, 1).view({4, 8}), before = x.clone();
  const at::Tensor expected = least_squares({x}, {1.0, 0.0});
  VT_CHECK_SAME_BITS(x, before);
  VT_CHECK_CLOSE(least_squares({x.t().contiguous().t()}, {1.0, 0.0}), expected, 1e-6);
  const at::Tensor half = least_squares({x.to(at::kBFloat16)}, {1.0, 0.0});
  CHECK((half.scalar_type() == at::kFloat));
  VT_CHECK_CLOSE(half, expected, 2e-2);
}

TEST_CASE("wrong lists are refused") {
  CHECK_THROWS_AS(least_squares({}, {1.0}), Error);
  CHECK_THROWS_AS(least_squares({at::zeros({2, 2})}, {}), Error);
  CHECK_THROWS_AS(least_squares({at::zeros({3, 2})}, {1.0, 0.0}), Error);
  CHECK_THROWS_AS(least_squares({at::zeros({2, 0})}, {1.0}), Error);
}

TEST_SUITE_END();

}  // namespace valetts
