// Attention between its matrix products, forward and backward: the text encoder's (a window) and the flow's (none) at the sizes
// of base.yaml.
#include "attention/attention.h"

#include <torch/csrc/autograd/autograd.h>

#include <array>

#include "compare.h"

namespace valetts {

std::vector<Comparison> attention_comparisons() {
  std::vector<Comparison> comparisons;
  constexpr int64_t kHeads = 2, kWindow = 4;
  constexpr double kScale = 0.1;
  for (const auto& [batch, time, window] :
       {std::array<int64_t, 3>{4, 60, kWindow}, {16, 120, kWindow}, {4, 216, 0}, {4, 436, 0}}) {
    const at::Tensor scores = at::randn({batch, kHeads, time, time}).set_requires_grad(true);
    const at::Tensor mask = at::ones({batch, 1, time});
    const at::Tensor keep = at::rand({batch, time * kHeads, time}).gt(0.1).to(at::kFloat) / 0.9;
    const at::Tensor weights = at::randn({batch, kHeads, time, time});
    std::vector<at::Tensor> inputs{scores}, of_outputs{weights};
    if (window > 0) {
      inputs.push_back(at::randn({batch, kHeads, time, 2 * window + 1}).set_requires_grad(true));
      of_outputs.push_back(at::randn({batch, kHeads, time, 2 * window + 1}));
    }
    const std::string size = c10::str(batch, "x", kHeads, "x", time, "x", time, window > 0 ? ", window" : "");
    comparisons.push_back({"attention", size, 1e-5, [=, window = window] {
                             const AttentionWeights seen = attention_weights(
                                 scores, inputs.size() > 1 ? inputs[1] : at::Tensor(), mask, keep, kScale, window);
                             std::vector<at::Tensor> results{seen.weights_BhTT};
                             if (window > 0) results.push_back(seen.diagonals_BhTW);
                             std::vector<at::Tensor> out = torch::autograd::grad(results, inputs, of_outputs);
                             out.insert(out.end(), results.begin(), results.end());
                             return out;
                           }});
  }
  return comparisons;
}

}  // namespace valetts
