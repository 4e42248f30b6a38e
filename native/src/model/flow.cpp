#include "model/flow.h"

#include "core/module_scope.h"
#include "core/precision.h"

namespace valetts {

namespace {

constexpr int64_t kWaveNetKernel = 5;

TransformerSettings pre_conv_transformer(const ModelSettings& settings) {
  const int64_t half = settings.inter_channels / 2;
  return {.channels = half,
          .filter_channels = half,
          .heads = 2,
          .layers = 2,
          .kernel_size = 3,
          .dropout = 0.1,
          .window = 0,
          .speaker_channels = 0};
}

TransformerSettings pre_conv2_transformer(const ModelSettings& settings) {
  return {.channels = settings.hidden_channels,
          .filter_channels = settings.hidden_channels,
          .heads = 2,
          .layers = 1,
          .kernel_size = kWaveNetKernel,
          .dropout = 0.0,
          .window = 4,
          .speaker_channels = 0};
}

}  // namespace

Flow::Flow(ParameterStore& store, const std::string& name, const ModelSettings& settings)
    : kind_(settings.flow_kind), half_(settings.inter_channels / 2) {
  for (int64_t i = 0; i < settings.flow_couplings; ++i) {
    // Odd indices are the flips, which hold nothing.
    const std::string flow = name + ".flows." + std::to_string(2 * i);
    Coupling coupling;
    if (kind_ == FlowKind::kPreConv) {
      coupling.transformer = TransformerEncoder(store, flow + ".pre_transformer", pre_conv_transformer(settings));
    }
    coupling.pre = Conv1d(store, flow + ".pre", half_, settings.hidden_channels, 1);
    if (kind_ == FlowKind::kPreConv2) {
      coupling.transformer = TransformerEncoder(store, flow + ".pre_transformer", pre_conv2_transformer(settings));
    }
    coupling.wavenet = WaveNet(store, flow + ".enc", settings.hidden_channels, kWaveNetKernel, settings.flow_layers,
                               settings.speaker_channels);
    coupling.post = Conv1d(store, flow + ".post", settings.hidden_channels, half_, 1, {}, ConvInit::kZero);
    couplings_.push_back(std::move(coupling));
  }
}

at::Tensor Flow::mean(const Coupling& coupling, const at::Tensor& x0, const at::Tensor& mask_B1S,
                      const at::Tensor& speaker_BG1, const Pass& pass) const {
  // The transformers are narrow and two layers deep: cheap in float32. In half precision their rectifiers flip, which moves
  // the coupling's gradient by more than rounding elsewhere does.
  auto transformed = [&](const at::Tensor& x) {
    const FullPrecisionIsland island;
    const at::Tensor wide = widened(x);
    return wide + coupling.transformer(wide * mask_B1S, mask_B1S, at::Tensor(), pass);
  };
  const at::Tensor x = kind_ == FlowKind::kPreConv ? transformed(x0) : x0;
  at::Tensor h = coupling.pre(x) * mask_B1S;
  if (kind_ == FlowKind::kPreConv2) h = transformed(h);
  return widened(coupling.post(coupling.wavenet(h, mask_B1S, speaker_BG1))) * mask_B1S;
}

at::Tensor Flow::forward(const at::Tensor& z_BCS, const at::Tensor& mask_B1S, const at::Tensor& speaker_BG1,
                         const Pass& pass) const {
  const ModuleScope scope("flow");
  at::Tensor x = z_BCS;
  for (const Coupling& coupling : couplings_) {
    at::Tensor x0 = x.narrow(1, 0, half_), x1 = x.narrow(1, half_, half_);
    x1 = mean(coupling, x0, mask_B1S, speaker_BG1, pass) + x1 * mask_B1S;
    x = at::cat({x0, x1}, 1).flip({1});
  }
  return x;
}

at::Tensor Flow::inverse(const at::Tensor& z_BCS, const at::Tensor& mask_B1S, const at::Tensor& speaker_BG1,
                         const Pass& pass) const {
  const ModuleScope scope("flow");
  at::Tensor x = z_BCS;
  for (auto coupling = couplings_.rbegin(); coupling != couplings_.rend(); ++coupling) {
    x = x.flip({1});
    at::Tensor x0 = x.narrow(1, 0, half_), x1 = x.narrow(1, half_, half_);
    x1 = (x1 - mean(*coupling, x0, mask_B1S, speaker_BG1, pass)) * mask_B1S;
    x = at::cat({x0, x1}, 1);
  }
  return x;
}

int64_t Flow::dead_parameter_count(const ModelSettings& settings) {
  if (settings.flow_kind != FlowKind::kPreConv) return 0;
  TransformerSettings dead = pre_conv_transformer(settings);
  dead.channels = settings.hidden_channels;
  dead.filter_channels = settings.hidden_channels;
  return settings.flow_couplings * TransformerEncoder::parameter_count(dead);
}

}  // namespace valetts
