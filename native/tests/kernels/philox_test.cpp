// The draws that a device makes for itself are those of core/random.h, bit for bit.
#include "philox/philox.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "core/check.h"
#include "core/random.h"
#include "tensor_checks.h"

namespace valetts {
namespace {

at::Tensor key_of(const Draws& draws) {
  return at::tensor({static_cast<int32_t>(draws.key()[0]), static_cast<int32_t>(draws.key()[1])}, at::kInt);
}

TEST_CASE("draws from a key in a tensor equal those of the host") {
  const std::vector<int64_t> utterances{0, 17, -3, int64_t{1} << 40};
  const at::Tensor ids = at::tensor(utterances, at::kLong);
  for (const int64_t step : {0, 1, 123456}) {
    const Draws draws(1234, step);
    const at::Tensor key = key_of(draws);
    for (const int64_t time : {0, 1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 129, 1134}) {
      CAPTURE(step);
      CAPTURE(time);
      VT_CHECK_SAME_BITS(draw_BCT(DrawKind::kNormal, key, 3, ids, 5, time), draws.normal_BCT(3, utterances, 5, time));
      VT_CHECK_SAME_BITS(draw_BCT(DrawKind::kUniform, key, 4, ids, 5, time), draws.uniform_BCT(4, utterances, 5, time));
      VT_CHECK_SAME_BITS(draw_BCT(DrawKind::kKeepMask, key, 64, ids, 5, time, 0.1),
                         draws.keep_mask_BCT(64, utterances, 5, time, 0.1f));
    }
  }
}

TEST_CASE("a draw that cannot be is refused") {
  const at::Tensor key = key_of(Draws(1, 2)), ids = at::zeros({2}, at::kLong);
  CHECK_THROWS_AS(draw_BCT(DrawKind::kNormal, key.to(at::kLong), 0, ids, 1, 1), Error);
  CHECK_THROWS_AS(draw_BCT(DrawKind::kNormal, key, 0, ids.to(at::kInt), 1, 1), Error);
  CHECK_THROWS_AS(draw_BCT(DrawKind::kNormal, key, 4096, ids, 1, 1), Error);
  CHECK_THROWS_AS(draw_BCT(DrawKind::kNormal, key, 0, ids, 1, -1), Error);
  CHECK_THROWS_AS(draw_BCT(DrawKind::kKeepMask, key, 0, ids, 1, 1, 1.0), Error);
}

}  // namespace
}  // namespace valetts
