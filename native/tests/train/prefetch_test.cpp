// A batch that is brought to the device ahead is the batch that the next step takes, and no other.
#include "train/prefetch.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "core/check.h"
#include "small_run.h"
#include "tensor_checks.h"

namespace valetts {
namespace {

TEST_CASE("what is kept is given out once, and under its own key alone") {
  Trainer trainer(small_settings(), at::kCPU);
  const StepInputs inputs = Corpus().piece(trainer, 0, 2).inputs;
  Prefetch prefetch(at::kCPU);
  auto begin = [&](const std::vector<int64_t>& key) { prefetch.begin(key, [&] { return inputs; }, /*also_on_cpu=*/true); };
  CHECK_FALSE(prefetch.take({}).has_value());
  begin({1, 2, 3});
  CHECK_FALSE(prefetch.take({1, 2}).has_value());
  CHECK_FALSE(prefetch.take({1, 2, 3}).has_value());
  begin({1, 2, 3});
  const auto taken = prefetch.take({1, 2, 3});
  REQUIRE(taken.has_value());
  VT_CHECK_SAME_BITS(taken->spectrogram, inputs.spectrogram);
  CHECK_FALSE(prefetch.take({1, 2, 3}).has_value());
  begin({1});
  begin({2});
  CHECK_FALSE(prefetch.take({1}).has_value());
  begin({2});
  prefetch.clear();
  CHECK_FALSE(prefetch.take({2}).has_value());
}

TEST_CASE("a batch that cannot be prepared leaves nothing kept and throws nothing") {
  Prefetch prefetch(at::kCPU);
  prefetch.begin({1}, []() -> StepInputs { VT_CHECK_ARG(false, "an item is wrong"); return {}; }, true);
  CHECK_FALSE(prefetch.take({1}).has_value());
}

TEST_CASE("on the CPU nothing is prepared ahead") {
  Prefetch prefetch(at::kCPU);
  bool prepared = false;
  prefetch.begin({1}, [&] {
    prepared = true;
    return StepInputs{};
  });
  CHECK_FALSE(prepared);
  CHECK_FALSE(prefetch.take({1}).has_value());
}

}  // namespace
}  // namespace valetts
