// A layer of the WaveNet between its convolutions, forward and backward, at the shapes of base.yaml with batch 4 and 16.
#include "wavenet/wavenet.h"

#include <torch/csrc/autograd/autograd.h>

#include "compare.h"

namespace valetts {

std::vector<Comparison> wavenet_comparisons() {
  std::vector<Comparison> comparisons;
  for (const auto& [batch, time] : {std::array<int64_t, 2>{4, 216}, {4, 436}, {16, 436}}) {
    constexpr int64_t kHidden = 192;
    const at::Tensor a = at::randn({batch, 2 * kHidden, time}).set_requires_grad(true);
    const at::Tensor condition = at::randn({batch, 2 * kHidden, 1}).set_requires_grad(true);
    const at::Tensor x = at::randn({batch, kHidden, time}).set_requires_grad(true);
    const at::Tensor skip = at::randn({batch, kHidden, time}).set_requires_grad(true);
    const at::Tensor mask = at::ones({batch, 1, time});
    const at::Tensor weights = at::randn({batch, kHidden, time});
    const std::string input = c10::str(batch, "x", 2 * kHidden, "x", time);
    comparisons.push_back({"wavenet", "gate " + input, 1e-5, [=] {
                             const at::Tensor y = wavenet_gate(a, condition);
                             std::vector<at::Tensor> out = torch::autograd::grad({y}, {a, condition}, {weights});
                             out.push_back(y);
                             return out;
                           }});
    comparisons.push_back({"wavenet", "gate, no gradient " + input, 1e-5, [=] {
                             at::NoGradGuard no_grad;
                             return std::vector<at::Tensor>{wavenet_gate(a, {})};
                           }});
    comparisons.push_back({"wavenet", "residual " + input, 1e-6, [=] {
                             const auto [next, sum] = wavenet_residual(x, a, mask, skip);
                             std::vector<at::Tensor> out =
                                 torch::autograd::grad({next, sum}, {x, a, skip}, {weights, weights});
                             out.insert(out.end(), {next, sum});
                             return out;
                           }});
  }
  return comparisons;
}

}  // namespace valetts
