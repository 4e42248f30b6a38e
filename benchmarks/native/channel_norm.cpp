// Layer norm over channels as the text encoder has it (192 channels, batch 4 and 16), forward and backward.
#include "channel_norm/channel_norm.h"

#include <torch/csrc/autograd/autograd.h>

#include "compare.h"

namespace valetts {

std::vector<Comparison> channel_norm_comparisons() {
  std::vector<Comparison> comparisons;
  for (const auto& [batch, time] : {std::array<int64_t, 2>{4, 60}, {4, 120}, {16, 120}, {16, 436}}) {
    constexpr int64_t kChannels = 192;
    const at::Tensor x = at::randn({batch, kChannels, time}).set_requires_grad(true);
    const at::Tensor gamma = at::randn({kChannels}).set_requires_grad(true);
    const at::Tensor beta = at::randn({kChannels}).set_requires_grad(true);
    const at::Tensor mask = at::ones({batch, 1, time});
    const at::Tensor weights = at::randn({batch, kChannels, time});
    const std::string input = c10::str(batch, "x", kChannels, "x", time);
    // Both end in the layout that the convolutions take.
    comparisons.push_back({"channel-norm", input, 1e-5, [=] {
                             const at::Tensor y = channel_norm(x, gamma, beta, mask).contiguous();
                             std::vector<at::Tensor> out = torch::autograd::grad({y}, {x, gamma, beta}, {weights});
                             out.push_back(y);
                             return out;
                           }});
  }
  const at::Tensor x = at::randn({1, 192, 120}), gamma = at::randn({192}), beta = at::randn({192});
  comparisons.push_back({"channel-norm", "no gradient 1x192x120", 1e-5, [=] {
                           at::NoGradGuard no_grad;
                           return std::vector<at::Tensor>{channel_norm(x, gamma, beta, {}).contiguous()};
                         }});
  return comparisons;
}

}  // namespace valetts
