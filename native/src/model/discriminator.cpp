#include "model/discriminator.h"

#include <algorithm>

#include "core/module_scope.h"
#include "core/side_by_side.h"

namespace valetts {

namespace {

constexpr double kSlope = 0.1;
constexpr int64_t kPeriods[] = {2, 3, 5, 7, 11};

struct LayerShape {
  int64_t out;
  int64_t kernel;
  int64_t stride;
  int64_t groups;
};
constexpr LayerShape kScaleLayers[] = {{16, 15, 1, 1},    {64, 41, 4, 4},       {256, 41, 4, 16},
                                       {1024, 41, 4, 64}, {1024, 41, 4, 256}, {1024, 5, 1, 1}};
constexpr LayerShape kPeriodLayers[] = {{32, 5, 3, 1}, {128, 5, 3, 1}, {512, 5, 3, 1}, {1024, 5, 3, 1}, {1024, 5, 1, 1}};
constexpr int64_t kPostKernel = 3;

}  // namespace

WaveformDiscriminator::WaveformDiscriminator(ParameterStore& store, const ModelSettings& settings) {
  auto narrowed = [&](int64_t width) { return std::max<int64_t>(1, width / settings.discriminator_width_divisor); };
  auto add_part = [&](int64_t period, const LayerShape* shapes, size_t count) {
    const std::string name = "discriminators." + std::to_string(parts_.size());
    Part part{period, {}, period == 0 ? "discriminator, scale" : "discriminator, period " + std::to_string(period)};
    auto add_layer = [&](const std::string& layer, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                         int64_t groups) {
      std::vector<int64_t> shape{out, in / groups, kernel};
      if (period > 0) shape.push_back(1);
      part.layers.push_back({WeightNorm(store, name + "." + layer, shape, out), stride, kernel / 2, groups});
    };
    int64_t in = 1;
    for (size_t i = 0; i < count; ++i) {
      const int64_t out = narrowed(shapes[i].out);
      const int64_t groups = shapes[i].groups == 1 ? 1 : narrowed(shapes[i].groups);
      add_layer("convs." + std::to_string(i), in, out, shapes[i].kernel, shapes[i].stride, groups);
      in = out;
    }
    add_layer("conv_post", in, 1, kPostKernel, 1, 1);
    parts_.push_back(std::move(part));
  };
  add_part(0, kScaleLayers, std::size(kScaleLayers));
  for (int64_t period : kPeriods) add_part(period, kPeriodLayers, std::size(kPeriodLayers));
}

std::vector<at::Tensor> WaveformDiscriminator::feature_maps(const Part& part, const at::Tensor& audio_B1N) {
  at::Tensor x = audio_B1N;
  if (part.period > 0) {
    const int64_t remainder = x.size(2) % part.period;
    if (remainder != 0) x = at::reflection_pad1d(x, {0, part.period - remainder});
    x = x.view({x.size(0), 1, x.size(2) / part.period, part.period});
  }
  std::vector<at::Tensor> maps;
  for (size_t i = 0; i < part.layers.size(); ++i) {
    const Layer& layer = part.layers[i];
    const auto convolve = [&](const at::Tensor& bias) {
      return part.period > 0 ? at::conv2d(x, layer.norm.weight(), bias, {layer.stride, 1}, {layer.padding, 0})
                             : at::conv1d(x, layer.norm.weight(), bias, layer.stride, layer.padding, 1, layer.groups);
    };
    x = i + 1 < part.layers.size() ? convolved_and_rectified(convolve, layer.norm.bias(), kSlope)
                                   : convolve(layer.norm.bias());
    maps.push_back(x);
  }
  return maps;
}

DiscriminatorOutput WaveformDiscriminator::operator()(const at::Tensor& audio_B1N) const {
  DiscriminatorOutput output;
  output.feature_maps.resize(parts_.size());
  std::vector<Branch> branches;
  for (size_t i = 0; i < parts_.size(); ++i) {
    branches.push_back([&, i] {
      const ModuleScope scope(parts_[i].label.c_str());
      return output.feature_maps[i] = feature_maps(parts_[i], audio_B1N);
    });
  }
  std::vector<at::Tensor> inputs = NormalisedWeights::in_scope();
  inputs.push_back(audio_B1N);
  side_by_side(audio_B1N.device(), inputs, branches);
  for (const std::vector<at::Tensor>& maps : output.feature_maps) output.logits.push_back(maps.back().flatten(1));
  return output;
}

}  // namespace valetts
