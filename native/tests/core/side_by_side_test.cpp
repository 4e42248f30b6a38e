// Branches of a pass: on the CPU one after the other; on a GPU their results are those of the same work in a row.
#include "core/side_by_side.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <stdexcept>

#include "fixtures.h"
#include "tensor_checks.h"

namespace valetts {
namespace {

TEST_CASE("branches on the CPU are done in order, none and one included") {
  side_by_side(at::kCPU, {}, {});
  std::vector<int> order;
  auto branch = [&](int number) {
    return [&order, number] {
      order.push_back(number);
      return std::vector<at::Tensor>{};
    };
  };
  side_by_side(at::kCPU, {at::Tensor()}, {branch(1)});
  side_by_side(at::kCPU, {}, {branch(2), branch(3), branch(4)});
  CHECK_EQ(order, std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("what a branch throws is the caller's, and no later branch begins") {
  bool later = false;
  const Branch failing = []() -> std::vector<at::Tensor> { throw std::runtime_error("a branch fails"); };
  const Branch after = [&]() -> std::vector<at::Tensor> {
    later = true;
    return {};
  };
  CHECK_THROWS_AS(side_by_side(at::kCPU, {}, {failing, after}), std::runtime_error);
  CHECK_FALSE(later);
}

#ifdef VALETTS_CUDA
TEST_CASE("branches on a GPU give forward and backward what the same work gives in a row") {
  if (!at::globalContext().hasCUDA()) {
    testing::count_skip("no GPU: branches are not compared with work in a row");
    return;
  }
  const at::TensorOptions options = at::TensorOptions(at::kFloat).device("cuda:0");
  const at::Tensor x = at::arange(1 << 20, options).div(1 << 20).requires_grad_(true);
  auto results = [&](bool together) {
    std::vector<at::Tensor> made(4);
    std::vector<Branch> branches;
    for (int i = 0; i < 4; ++i) {
      branches.push_back([&, i] {
        made[static_cast<size_t>(i)] = (x * (i + 1)).sin().exp();
        return std::vector<at::Tensor>{made[static_cast<size_t>(i)]};
      });
    }
    if (together) {
      side_by_side(x.device(), {x}, branches);
    } else {
      for (const Branch& branch : branches) branch();
    }
    x.mutable_grad() = at::Tensor();
    (made[0] + made[1] + made[2] + made[3]).sum().backward();
    return x.grad();
  };
  VT_CHECK_SAME_BITS(results(true), results(false));
}
#endif

}  // namespace
}  // namespace valetts
