// The weights of all weight-normed convolutions of a network at the sizes of base.yaml.
#include "weight_norm/weight_norm.h"

#include <torch/csrc/autograd/autograd.h>

#include "compare.h"
#include "model/discriminator.h"
#include "model/generator.h"

namespace valetts {

namespace {

// Forward and backward.
Comparison both_ways(const std::string& input, const ParameterStore& store) {
  const std::vector<at::Tensor> v = store.normalised_pairs()->directions, g = store.normalised_pairs()->gains;
  std::vector<at::Tensor> leaves = v, weights;
  leaves.insert(leaves.end(), g.begin(), g.end());
  // Along the directions: a gain's gradient is a sum, which must not be near 0 where answers are compared.
  for (const at::Tensor& direction : v) weights.push_back(direction.detach() * 10.0 + at::randn(direction.sizes()));
  return {"weight-norm", input, 1e-4,
          [=] {
            std::vector<at::Tensor> out = weight_norms(v, g);
            const std::vector<at::Tensor> gradients = torch::autograd::grad(out, leaves, weights);
            out.insert(out.end(), gradients.begin(), gradients.end());
            return out;
          },
          /*on_request=*/true};
}

// The generator's phase of a step sends real and generated audio through discriminators that do not learn.
Comparison two_passes() {
  const auto store = std::make_shared<ParameterStore>(2, at::kCPU);
  std::vector<WeightNorm> norms;
  for (int64_t period = 0; period < 5; ++period) {
    int64_t in = 1;
    for (const int64_t out : {32, 128, 512, 1024, 1024}) {
      norms.emplace_back(*store, c10::str(norms.size()), std::vector<int64_t>{out, in, 5, 1}, out);
      in = out;
    }
  }
  store->set_requires_grad(false);
  return {"weight-norm", "two passes of the period discriminators", 1e-5, [store, norms] {
            const NormalisedWeights weights(*store);
            std::vector<at::Tensor> out;
            for (int pass = 0; pass < 2; ++pass) {
              for (const WeightNorm& norm : norms) out.push_back(norm.weight());
            }
            return out;
          }};
}

}  // namespace

std::vector<Comparison> weight_norm_comparisons() {
  const Generator generator(ModelSettings{}, 1, at::kCPU);
  ParameterStore store(2, at::kCPU);
  const WaveformDiscriminator discriminator(store, ModelSettings{});
  ModelSettings narrow;
  narrow.discriminator_width_divisor = 8;
  ParameterStore narrow_store(3, at::kCPU);
  const WaveformDiscriminator narrow_discriminator(narrow_store, narrow);
  return {both_ways("generator", generator.parameters()), both_ways("discriminators", store),
          both_ways("discriminators of an eighth", narrow_store), two_passes()};
}

}  // namespace valetts
