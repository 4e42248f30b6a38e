// BigVGAN's activation at the sizes of the decoder of bigvgan.yaml over a segment of 32 frames, forward and backward.
#include "snake/snake.h"

#include <torch/csrc/autograd/autograd.h>

#include "compare.h"

namespace valetts {

std::vector<Comparison> snake_comparisons() {
  std::vector<Comparison> comparisons;
  for (const auto& [channels, time] : {std::array<int64_t, 2>{256, 256}, {64, 4096}, {32, 8192}}) {
    const at::Tensor x = at::randn({1, channels, time}).set_requires_grad(true);
    const at::Tensor alpha = (at::randn({channels}) * 0.3).set_requires_grad(true);
    const at::Tensor beta = (at::randn({channels}) * 0.3).set_requires_grad(true);
    // Not of zero mean: the parameters' gradients are sums, which must not be near 0 where answers are compared.
    const at::Tensor weights = at::rand({1, channels, time});
    comparisons.push_back({"snake", c10::str("1x", channels, "x", time), 1e-5, [=] {
                             const at::Tensor y = anti_aliased_snake(x, alpha, beta);
                             std::vector<at::Tensor> out = torch::autograd::grad({y}, {x, alpha, beta}, {weights});
                             out.push_back(y);
                             return out;
                           }});
  }
  const at::Tensor x = at::randn({1, 64, 4096}), alpha = at::zeros({64}), beta = at::zeros({64});
  comparisons.push_back({"snake", "no gradient 1x64x4096", 1e-5, [=] {
                           at::NoGradGuard no_grad;
                           return std::vector<at::Tensor>{anti_aliased_snake(x, alpha, beta)};
                         }});
  return comparisons;
}

}  // namespace valetts
