// The feature-matching loss over maps of the sizes that the discriminators of base.yaml make of 8,192 samples, batch 4.
#include "feature_matching/feature_matching.h"

#include <torch/csrc/autograd/autograd.h>

#include "compare.h"

namespace valetts {

std::vector<Comparison> feature_matching_comparisons() {
  std::vector<at::Tensor> generated, real;
  const auto add = [&](int64_t channels, int64_t time) {
    // As the discriminators give them: halves of one batch.
    const at::Tensor both = at::randn({8, channels, time}).set_requires_grad(true);
    real.push_back(both.narrow(0, 0, 4));
    generated.push_back(both.narrow(0, 4, 4));
  };
  for (const auto& [channels, time] : {std::pair<int64_t, int64_t>{16, 8192}, {64, 2048}, {256, 512}, {1024, 128}}) {
    add(channels, time);
  }
  for (int period = 0; period < 5; ++period) {
    for (const auto& [channels, time] : {std::pair<int64_t, int64_t>{32, 2731}, {128, 911}, {512, 304}, {1024, 102}, {1024, 102}}) {
      add(channels, time);
    }
  }
  return {{"feature-matching", "29 maps, batch 4", 1e-5, [=] {
             const at::Tensor distance = feature_distance(generated, real);
             std::vector<at::Tensor> out = torch::autograd::grad({distance}, generated);
             out.push_back(distance.detach());
             return out;
           }}};
}

}  // namespace valetts
