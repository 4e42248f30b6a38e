// The core against itself: what it computed when it had passed every recording of the reference. These numbers are small
// enough to lie in the repository, so that they are checked where the recordings are not.
//
// Weights and inputs follow formulas, the draws are the core's own keyed ones. VALETTS_RECORD_GOLDENS=1 writes the files
// anew; do so only with a core that passes the recordings (docs/parity.md).
#include <ATen/ATen.h>

#include <cstdlib>

#include "fixtures.h"
#include "infer/voice.h"
#include "interop/safetensors.h"
#include "parity/fixture.h"
#include "parity/report.h"

namespace valetts {
namespace {

TrainerSettings small_settings() {
  TrainerSettings settings;
  settings.audio.fft_size = 256;
  settings.audio.hop_length = 64;
  settings.audio.win_length = 256;
  settings.audio.mel_bins = 20;
  settings.segment_frames = 8;
  settings.seed = 7;
  ModelSettings& model = settings.model;
  model.vocabulary_size = 24;
  model.spectrogram_bins = 20;
  model.inter_channels = 16;
  model.hidden_channels = 16;
  model.filter_channels = 32;
  model.encoder_layers = 3;
  model.posterior_layers = 3;
  model.flow_layers = 2;
  model.resblock_kernel_sizes = {3, 5};
  model.resblock_dilations = {{1, 3}, {1, 3}};
  model.upsample_rates = {4, 4, 2, 2};
  model.upsample_kernel_sizes = {8, 8, 4, 4};
  model.upsample_initial_channels = 32;
  model.discriminator_width_divisor = 32;
  return settings;
}

// The published multi-speaker form: speaker-conditioned encoder, pre_conv2 flow, stochastic durations.
TrainerSettings many_speakers() {
  TrainerSettings settings = small_settings();
  ModelSettings& model = settings.model;
  model.speaker_count = 3;
  model.speaker_channels = 8;
  model.speaker_conditioned_encoder = true;
  model.flow_kind = FlowKind::kPreConv2;
  return settings;
}

// One speaker, linear posterior, deterministic durations, residual block 2, first duration discriminator.
TrainerSettings one_speaker() {
  TrainerSettings settings = small_settings();
  ModelSettings& model = settings.model;
  model.posterior_input = PosteriorInput::kLinear;
  model.spectrogram_bins = settings.audio.linear_bins();
  model.stochastic_duration_predictor = false;
  model.duration_discriminator = DurationDiscriminatorKind::kV1;
  model.resblock_kind = 2;
  settings.reference_padding = true;
  return settings;
}

void assign_formula(ParameterStore& store) {
  NamedTensors weights;
  int64_t offset = 0;
  for (const auto& [name, parameter] : store.entries()) {
    weights.emplace_back(name, formula_weight(name, parameter.sizes().vec(), offset));
    offset += parameter.numel();
  }
  store.assign(weights, "formula");
}

struct Inputs {
  at::Tensor tokens = (at::arange(3 * 11, at::kLong) * 7).remainder(24).view({3, 11});
  at::Tensor token_lengths = at::tensor({11, 7, 4}, at::kLong);
  at::Tensor sample_lengths = at::tensor({2240, 1500, 1023}, at::kLong);
  at::Tensor speakers = at::tensor({2, 0, 1}, at::kLong);
  std::vector<int64_t> utterances{11, 5, 9};

  // Three gliding tones.
  at::Tensor samples_BN() const {
    const at::Tensor n = at::arange(2240, at::kDouble);
    const at::Tensor pitch = at::tensor({0.05, 0.11, 0.17}, at::kDouble).unsqueeze(1);
    const at::Tensor valid = n.lt(sample_lengths.unsqueeze(1).to(at::kDouble));
    return (at::sin(n * pitch + n * n * 1e-5) * 0.3 * valid).to(at::kFloat);
  }
};

// name -> value of everything that is compared.
NamedTensors compute(const TrainerSettings& settings, const StepSchedule& schedule = {}) {
  Trainer trainer(settings, at::kCPU);
  assign_formula(trainer.generator()->parameters());
  assign_formula(trainer.discriminator_parameters());
  assign_formula(trainer.duration_discriminator_parameters());
  const Inputs given;
  const at::Tensor speakers = settings.model.speaker_count > 1 ? given.speakers : at::Tensor();
  const StepInputs inputs =
      trainer.prepare(given.tokens, given.token_lengths, given.samples_BN(), given.sample_lengths, speakers);
  NamedTensors out;
  {
    KeyedNoise noise(3, 0, given.utterances, at::kCPU);
    const SynthesisTrace voice = Voice(trainer.generator(), settings.audio)
                                     .synthesize(given.tokens, given.token_lengths, speakers, {0.667, 0.8, 1.1}, noise);
    out.emplace_back("exact/synthesis.frame_lengths", voice.frame_lengths_B);
    out.emplace_back("forward/synthesis.audio", voice.audio_B1N);
  }
  KeyedNoise noise(settings.seed, 0, given.utterances, at::kCPU);
  StepTrace trace;
  const StepLosses losses = trainer.step(inputs, schedule, noise, &trace);
  const GeneratorPass& pass = trace.generator;
  out.emplace_back("forward/mel", inputs.mel_BMS);
  out.emplace_back("forward/enc_p.h", pass.text.hidden_BHT);
  out.emplace_back("forward/enc_q.z", pass.posterior.z_BCS);
  out.emplace_back("forward/flow.z_p", pass.z_p_BCS);
  out.emplace_back("forward/dp.logw", pass.log_durations_B1T);
  out.emplace_back("forward/dp.l_length", pass.duration_loss_B);
  out.emplace_back("exact/durations", pass.durations_BT);
  out.emplace_back("exact/slice.ids", pass.segment_starts_B);
  out.emplace_back("forward/dec.y_hat", pass.generated_B1N);
  out.emplace_back("forward/mel_hat", pass.generated_mel_BMS);
  out.emplace_back("forward/loss.disc", losses.discriminator.total);
  out.emplace_back("forward/loss.dur_disc", losses.duration_discriminator.total);
  out.emplace_back("forward/loss.gen", losses.adversarial.total);
  out.emplace_back("forward/loss.fm", losses.feature_matching);
  out.emplace_back("forward/loss.mel", losses.mel);
  out.emplace_back("forward/loss.kl", losses.kl);
  out.emplace_back("forward/loss.dur", losses.duration);
  out.emplace_back("forward/loss.dur_gen", losses.duration_adversarial);
  const std::pair<const char*, ParameterStore*> networks[] = {{"G/", &trainer.generator()->parameters()},
                                                              {"D/", &trainer.discriminator_parameters()},
                                                              {"DUR/", &trainer.duration_discriminator_parameters()}};
  for (const auto& [prefix, store] : networks) {
    for (const auto& [name, parameter] : store->entries()) {
      // The softmax does not see a shift of the keys: that gradient is rounding noise.
      const bool noise_only = name.find("conv_k.bias") != std::string::npos;
      if (!parameter.grad().defined() || noise_only) continue;
      out.emplace_back("gradient/" + (prefix + name), parameter.grad().norm());
    }
  }
  for (auto& [name, tensor] : out) tensor = tensor.detach();
  return out;
}

void check_golden(const char* name, const TrainerSettings& settings) {
  const std::string path = std::string(VALETTS_GOLDENS) + "/" + name + ".safetensors";
  const NamedTensors computed = compute(settings);
  if (const char* record = std::getenv("VALETTS_RECORD_GOLDENS"); record != nullptr && std::string(record) == "1") {
    write_safetensors(path, computed);
  }
  const SafetensorsFile recorded = load_safetensors(path);
  CHECK_EQ(recorded.tensors.size(), computed.size());
  ParityReport report(name, Precision::kFp32);
  for (const auto& [tensor, value] : computed) {
    const at::Tensor* expected = recorded.find(tensor);
    REQUIRE_MESSAGE(expected != nullptr, path, " has no tensor ", tensor);
    if (tensor.rfind("exact/", 0) == 0) {
      report.exact(tensor, value, *expected);
    } else if (tensor.rfind("gradient/", 0) == 0) {
      report.gradient(tensor, value, *expected);
    } else {
      report.forward(tensor, value, *expected);
    }
  }
  for (const ParityRow& row : report.rows()) {
    CHECK_MESSAGE(row.passed, row.tensor, ": error ", row.error, ", limit ", row.limit);
  }
}

TEST_SUITE("parity") {
  TEST_CASE("a step computes what it computed when it equalled the reference: many speakers") {
    check_golden("many_speakers", many_speakers());
  }
  TEST_CASE("a step computes what it computed when it equalled the reference: one speaker") {
    check_golden("one_speaker", one_speaker());
  }
  TEST_CASE("a golden notices a small change of the arithmetic") {
    StepSchedule schedule;
    schedule.kl_weight = 1.001;
    const NamedTensors right = compute(one_speaker()), wrong = compute(one_speaker(), schedule);
    ParityReport report("change", Precision::kFp32);
    for (size_t i = 0; i < right.size(); ++i) report.forward(right[i].first, wrong[i].second, right[i].second);
    CHECK_FALSE(report.passed());
  }
}

}  // namespace
}  // namespace valetts
