// Multi-period and scale discriminators of HiFi-GAN as VITS combines them (section 2.4).
#pragma once

#include <string>
#include <vector>

#include "model/layers.h"
#include "model/settings.h"

namespace valetts {

// One entry for each discriminator.
struct DiscriminatorOutput {
  std::vector<at::Tensor> logits;                     // [B, positions]
  std::vector<std::vector<at::Tensor>> feature_maps;  // after each activation, then the last convolution's output
};

// Index 0 is the scale discriminator, 1..5 the periods 2, 3, 5, 7, 11.
class WaveformDiscriminator {
 public:
  WaveformDiscriminator() = default;
  WaveformDiscriminator(ParameterStore& store, const ModelSettings& settings);
  DiscriminatorOutput operator()(const at::Tensor& audio_B1N) const;

 private:
  struct Layer {
    WeightNorm norm;
    int64_t stride;
    int64_t padding;
    int64_t groups;
  };
  struct Part {
    int64_t period;  // 0: scale
    std::vector<Layer> layers;
    std::string label;
  };
  static std::vector<at::Tensor> feature_maps(const Part& part, const at::Tensor& audio_B1N);
  std::vector<Part> parts_;
};

}  // namespace valetts
