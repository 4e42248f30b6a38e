// A spline flow of the stochastic duration predictor after its convolutions (10 bins), forward and backward, both ways.
#include "spline/spline.h"

#include <torch/csrc/autograd/autograd.h>

#include "compare.h"

namespace valetts {

std::vector<Comparison> spline_comparisons() {
  std::vector<Comparison> comparisons;
  for (const auto& [batch, time] : {std::array<int64_t, 2>{4, 60}, {16, 120}}) {
    const at::Tensor x = (at::randn({batch, 1, time}) * 2.0).set_requires_grad(true);
    // Narrow bins make steep slopes, on which float32 itself is far from exact.
    const at::Tensor h = (at::randn({batch, 29, time}) * 0.5).set_requires_grad(true);
    const at::Tensor mask = at::ones({batch, 1, time});
    const at::Tensor weights = at::randn({batch, 1, time}), log_weights = at::randn({batch});
    for (const bool inverse : {false, true}) {
      const std::string input = c10::str(inverse ? "inverse " : "forward ", batch, "x29x", time);
      comparisons.push_back({"spline", input, 1e-3, [=] {
                               const auto [y, log_B] = masked_spline(x, h, mask, 1.0, inverse, 5.0);
                               std::vector<at::Tensor> out =
                                   torch::autograd::grad({y, log_B}, {x, h}, {weights, log_weights});
                               out.insert(out.end(), {y, log_B});
                               return out;
                             }});
    }
  }
  return comparisons;
}

}  // namespace valetts
