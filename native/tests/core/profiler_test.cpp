#include "core/profiler.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <torch/csrc/autograd/custom_function.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/check.h"
#include "core/json.h"
#include "core/module_scope.h"

namespace valetts {
namespace {

constexpr PassDirection kForward = PassDirection::kForward;
constexpr PassDirection kBackward = PassDirection::kBackward;

ProfileRow row_of(const Profiler& profiler, const std::string& module, PassDirection direction) {
  for (const ProfileRow& row : profiler.rows()) {
    if (row.module == module && row.direction == direction) return row;
  }
  return {};
}

double seconds_of_all(const Profiler& profiler) {
  double sum = 0.0;
  for (const ProfileRow& row : profiler.rows()) sum += row.seconds;
  return sum;
}

void sleep_millis(int millis) { std::this_thread::sleep_for(std::chrono::milliseconds(millis)); }

TEST_SUITE_BEGIN("core/profiler");

TEST_CASE("the times of all scopes add up to the whole") {
  Profiler profiler(at::kCPU);
  std::chrono::steady_clock::time_point begin, end;
  profiler.measure([&] {
    begin = std::chrono::steady_clock::now();
    sleep_millis(4);
    {
      const ModuleScope outer("outer");
      sleep_millis(6);
      {
        const ModuleScope inner("inner");
        sleep_millis(10);
      }
      sleep_millis(2);
    }
    end = std::chrono::steady_clock::now();
  });
  const double whole = std::chrono::duration<double>(end - begin).count();
  CHECK_GE(seconds_of_all(profiler), whole);
  CHECK_GE(row_of(profiler, Profiler::kRest, kForward).seconds, 0.004);
  CHECK_GE(row_of(profiler, "outer", kForward).seconds, 0.008);
  CHECK_GE(row_of(profiler, "inner", kForward).seconds, 0.010);
  CHECK_EQ(row_of(profiler, "outer", kForward).calls, 1);
  CHECK_EQ(row_of(profiler, "inner", kForward).calls, 1);
}

TEST_CASE("a scope inside one of its own name is part of it") {
  Profiler profiler(at::kCPU);
  profiler.measure([] {
    const ModuleScope outer("a");
    const ModuleScope again("a");
    sleep_millis(1);
  });
  CHECK_EQ(row_of(profiler, "a", kForward).calls, 1);
  CHECK_GE(row_of(profiler, "a", kForward).seconds, 0.001);
}

TEST_CASE("an operator counts for the innermost scope, with what it reads and writes") {
  const at::Tensor x = at::ones({8, 16}), y = at::ones({8, 16});
  Profiler profiler(at::kCPU);
  profiler.measure([&] {
    const ModuleScope outer("outer");
    at::Tensor sum = x + y;
    {
      const ModuleScope inner("inner");
      sum.mul_(y);
      sum.exp();
    }
    sum.transpose(0, 1).select(0, 1).view({-1}).unsqueeze(0);
    at::empty({100});
  });
  constexpr int64_t kBytes = 8 * 16 * 4;
  CHECK_EQ(row_of(profiler, "outer", kForward).operators, 1);
  CHECK_EQ(row_of(profiler, "outer", kForward).bytes, 3 * kBytes);
  CHECK_EQ(row_of(profiler, "inner", kForward).operators, 2);
  CHECK_EQ(row_of(profiler, "inner", kForward).bytes, 5 * kBytes);
}

TEST_CASE("a composed operator counts as its parts, and one that calls others for itself as one") {
  const at::Tensor x = at::ones({1, 4, 32}), weight = at::ones({6, 4, 3});
  Profiler profiler(at::kCPU);
  profiler.measure([&] {
    {
      const ModuleScope scope("convolution");
      at::conv1d(x, weight, {}, 1, 1);
    }
    const ModuleScope scope("mean absolute difference");
    at::l1_loss(x, x);
  });
  CHECK_EQ(row_of(profiler, "convolution", kForward).operators, 1);
  CHECK_EQ(row_of(profiler, "convolution", kForward).bytes, 4 * (4 * 32 + 6 * 4 * 3 + 6 * 32));
  CHECK_EQ(row_of(profiler, "mean absolute difference", kForward).operators, 3);
}

TEST_CASE("what is broadcast is read once, and nothing undefined or empty counts") {
  const at::Tensor one = at::ones({1}).expand({1000}), many = at::ones({1000});
  Profiler profiler(at::kCPU);
  profiler.measure([&] {
    {
      const ModuleScope scope("broadcast");
      at::add(many, one);
    }
    const ModuleScope scope("empty");
    at::add(many.narrow(0, 0, 0).clone(), 1.0);
  });
  CHECK_EQ(row_of(profiler, "broadcast", kForward).bytes, 4 * (1000 + 1 + 1000));
  CHECK_EQ(row_of(profiler, "empty", kForward).bytes, 0);
}

TEST_CASE("a node of the backward pass belongs to the module of its forward") {
  at::Tensor x = at::ones({64}).requires_grad_(true);
  Profiler profiler(at::kCPU);
  profiler.measure([&] {
    at::Tensor h;
    {
      const ModuleScope scope("first");
      h = x.exp();
    }
    {
      const ModuleScope scope("second");
      h = h.sin();
      {
        const ModuleScope nested("third");
        h = h.cos();
      }
      h = h.sigmoid();
    }
    const ModuleScope scope("losses");
    h.sum().backward();
  });
  CHECK_EQ(row_of(profiler, "first", kForward).operators, 1);
  CHECK_EQ(row_of(profiler, "second", kForward).operators, 2);
  CHECK_EQ(row_of(profiler, "third", kForward).operators, 1);
  // Exponential: one product, then the accumulation; sine: cosine and product; cosine: sine, sign and product.
  CHECK_GE(row_of(profiler, "first", kBackward).operators, 1);
  CHECK_EQ(row_of(profiler, "second", kBackward).operators, 3);
  CHECK_EQ(row_of(profiler, "third", kBackward).operators, 3);
  CHECK_EQ(row_of(profiler, "second", kBackward).calls, 2);
  CHECK_EQ(row_of(profiler, "third", kBackward).calls, 1);
  CHECK_GT(row_of(profiler, "losses", kBackward).calls, 0);
}

struct Doubling : torch::autograd::Function<Doubling> {
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor& x) {
    VT_PROFILED_KERNEL("valetts::doubling", x);
    at::Tensor y = at::empty_like(x);
    for (int64_t i = 0; i < x.numel(); ++i) y.mutable_data_ptr<float>()[i] = 2.0f * x.const_data_ptr<float>()[i];
    return y;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 torch::autograd::variable_list gradients) {
    VT_PROFILED_KERNEL("valetts::doubling_backward", gradients[0]);
    return {at::mul(gradients[0], 2.0)};
  }
};

TEST_CASE("a kernel of our own counts as one operator, with what it allocates") {
  at::Tensor x = at::ones({32}).requires_grad_(true);
  Profiler profiler(at::kCPU);
  profiler.measure([&] {
    at::Tensor y;
    {
      const ModuleScope scope("kernel");
      y = Doubling::apply(x);
    }
    const ModuleScope scope("losses");
    y.sum().backward();
  });
  CHECK_EQ(row_of(profiler, "kernel", kForward).operators, 1);
  CHECK_EQ(row_of(profiler, "kernel", kForward).bytes, 2 * 32 * 4);
  CHECK_GE(row_of(profiler, "kernel", kBackward).operators, 1);
}

TEST_CASE("several measurements add up, and only one is taken at a time") {
  Profiler profiler(at::kCPU), other(at::kCPU);
  const auto work = [] {
    const ModuleScope scope("work");
    at::ones({4}).exp();
  };
  profiler.measure(work);
  profiler.measure(work);
  CHECK_EQ(row_of(profiler, "work", kForward).calls, 2);
  CHECK_EQ(row_of(profiler, "work", kForward).operators % 2, 0);
  CHECK_THROWS_AS(profiler.measure([&] { other.measure(work); }), Error);
  CHECK_THROWS_AS(profiler.measure([] { fail(StatusCode::kNonFinite, "no"); }), Error);
  CHECK_EQ(row_of(profiler, "work", kForward).calls, 2);
  other.measure(work);
  CHECK_EQ(row_of(other, "work", kForward).calls, 1);
}

TEST_CASE("other threads and unmeasured work are not counted") {
  Profiler profiler(at::kCPU);
  const auto work = [] {
    const ModuleScope scope("elsewhere");
    at::ones({4}).exp();
  };
  work();
  profiler.measure([&] { std::thread(work).join(); });
  work();
  CHECK_EQ(row_of(profiler, "elsewhere", kForward).calls, 0);
  CHECK_EQ(row_of(profiler, "elsewhere", kForward).operators, 0);
}

TEST_CASE("a trace is JSON with every module and operator") {
  Profiler profiler(at::kCPU);
  const std::string file = "profiler_test_trace.json";
  CHECK_THROWS_AS(profiler.write_trace(file), Error);
  profiler.measure([] {
    const ModuleScope scope("quoted \"name\"");
    at::ones({4}).exp();
  });
  profiler.write_trace(file);
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  std::remove(file.c_str());
  const JsonValue trace = parse_json(text.str());
  std::vector<std::string> names;
  for (const JsonValue& event : trace.at("traceEvents").items()) names.push_back(event.at("name").as_string());
  CHECK_EQ(std::count(names.begin(), names.end(), "quoted \"name\""), 1);
  CHECK_EQ(std::count(names.begin(), names.end(), "aten::exp"), 1);
  CHECK_THROWS_AS(profiler.write_trace("no/such/folder/trace.json"), Error);
}

TEST_SUITE_END();

}  // namespace
}  // namespace valetts
