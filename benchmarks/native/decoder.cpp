// Synthesis' decoder at the sizes of base.yaml (HiFi-GAN V1), against the layers that training uses.
#include <ATen/core/grad_mode.h>

#include "compare.h"
#include "infer/voice.h"

namespace valetts {

std::vector<Comparison> decoder_comparisons() {
  std::vector<Comparison> comparisons;
  const auto generator = std::make_shared<Generator>(ModelSettings{}, 1, at::kCPU);
  generator->parameters().set_requires_grad(false);
  const auto voice = std::make_shared<Voice>(generator, AudioSettings{});
  for (const int64_t frames : {32, 100, 430}) {
    const at::Tensor z = at::randn({1, generator->settings().inter_channels, frames});
    comparisons.push_back({"decoder", c10::str(frames, " frames"), 1e-5, [=] {
                             at::NoGradGuard no_grad;
                             return std::vector<at::Tensor>{voice->decode_B1N(z, {})};
                           }});
  }
  if (PackedDecoder::has_bf16()) {
    const auto rounding = std::make_shared<Voice>(generator, AudioSettings{}, Precision::kBf16);
    for (const int64_t frames : {32, 100, 430}) {
      const at::Tensor z = at::randn({1, generator->settings().inter_channels, frames});
      comparisons.push_back({"decoder-bf16", c10::str(frames, " frames"), 0.1, [=] {
                               at::NoGradGuard no_grad;
                               return std::vector<at::Tensor>{rounding->decode_B1N(z, {})};
                             }});
    }
  }
  return comparisons;
}

}  // namespace valetts
