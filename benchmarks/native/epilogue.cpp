// What follows the convolutions, forward and backward: the decoder's first and last stage, the text encoder's filter and a
// discriminator's map, at the sizes of base.yaml with batch 4. An activation alone is libtorch's own pass, but for the memory.
#include "epilogue/epilogue.h"

#include <torch/csrc/autograd/autograd.h>

#include <array>

#include "compare.h"

namespace valetts {

std::vector<Comparison> epilogue_comparisons() {
  std::vector<Comparison> comparisons;
  for (const auto& [channels, time] : {std::array<int64_t, 2>{256, 256}, {32, 8192}}) {
    constexpr int64_t kBatch = 4;
    const auto tensor = [&, channels = channels, time = time] { return at::randn({kBatch, channels, time}); };
    const at::Tensor x = tensor().set_requires_grad(true), y = tensor().set_requires_grad(true), weights = tensor();
    const std::string size = c10::str(kBatch, "x", channels, "x", time);
    // `+ 0` stands for the convolution that gives a fresh result; both paths pay for it.
    comparisons.push_back({"epilogue", "residual, activation " + size, 1e-6, [=] {
                             const auto [sum, rectified] = residual_activated(x, y + 0, 0.1);
                             std::vector<at::Tensor> out = torch::autograd::grad({sum, rectified}, {x, y}, {weights, weights});
                             out.insert(out.end(), {sum, rectified});
                             return out;
                           }});
    comparisons.push_back({"epilogue", "mean of three blocks " + size, 1e-6, [=] {
                             const at::Tensor mean = mean_activated({x, x, x}, {y + 0, y + 0, y + 0}, 0.1);
                             std::vector<at::Tensor> out = torch::autograd::grad({mean}, {x, y}, {weights});
                             out.push_back(mean);
                             return out;
                           }});
    comparisons.push_back({"epilogue", "activation " + size, 1e-6, [=] {
                             const at::Tensor rectified = activated(y + 0, {}, 0.1);
                             std::vector<at::Tensor> out = torch::autograd::grad({rectified}, {y}, {weights});
                             out.push_back(rectified);
                             return out;
                           }, /*on_request=*/true});
  }
  const at::Tensor x = at::randn({4, 768, 120}).set_requires_grad(true), weights = at::randn({4, 768, 120});
  const at::Tensor keep = at::rand({4, 768, 120}).gt(0.1).to(at::kFloat) / 0.9, mask = at::ones({4, 1, 120});
  comparisons.push_back({"epilogue", "rectifier, dropout, mask 4x768x120", 1e-6, [=] {
                           const at::Tensor y = activated(x + 0, {}, 0.0, keep, mask);
                           std::vector<at::Tensor> out = torch::autograd::grad({y}, {x}, {weights});
                           out.push_back(y);
                           return out;
                         }});
  return comparisons;
}

}  // namespace valetts
