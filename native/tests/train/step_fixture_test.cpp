// One whole training step against numbers recorded from the public reference: every intermediate, loss, gradient and
// updated parameter, then synthesis with the initial weights.
#include <ATen/ATen.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <unordered_map>

#include "core/json.h"
#include "fixtures.h"
#include "infer/voice.h"
#include "interop/safetensors.h"
#include "tensor_checks.h"
#include "train/trainer.h"

namespace valetts {
namespace {

constexpr double kForward = 1e-5;
constexpr double kGradient = 2e-4;
constexpr double kUpdatedParameter = 2e-6;

class RecordedNoise : public NoiseSource {
 public:
  RecordedNoise(const SafetensorsFile& file, bool inference) : file_(file), inference_(inference) {}
  at::Tensor normal_BCT(NoiseStream stream, int64_t channels, int64_t time) override {
    const at::Tensor* draw = file_.find(name_of(stream));
    REQUIRE_MESSAGE(draw != nullptr, "no recorded draw ", name_of(stream));
    REQUIRE_EQ(draw->size(1), channels);
    REQUIRE_EQ(draw->size(2), time);
    return *draw;
  }
  at::Tensor uniform_B(NoiseStream) override { return *file_.find("noise/slice_u"); }
  at::Tensor keep_mask_BCT(uint32_t, int64_t, int64_t, double) override { return {}; }

 private:
  std::string name_of(NoiseStream stream) const {
    switch (stream) {
      case NoiseStream::kPosterior: return "noise/enc_q";
      case NoiseStream::kDurationPosterior: return "noise/sdp_post";
      case NoiseStream::kDurationReverse: return inference_ ? "infer/noise.dp" : "noise/sdp_rev";
      case NoiseStream::kPrior: return "infer/noise.z";
      default: return "none";
    }
  }
  const SafetensorsFile& file_;
  bool inference_;
};

std::vector<int64_t> integers(const JsonValue& list) {
  std::vector<int64_t> out;
  for (const JsonValue& item : list.items()) out.push_back(item.as_integer());
  return out;
}

bool flag(const JsonValue& object, const char* name) {
  const JsonValue* value = object.find(name);
  return value != nullptr && value->kind() == JsonValue::Kind::kBool && value->as_bool();
}

TrainerSettings settings_of(const JsonValue& config) {
  const JsonValue& model = config.at("model");
  const JsonValue& data = config.at("data");
  const JsonValue& train = config.at("train");
  TrainerSettings settings;
  settings.audio.sample_rate_hz = data.at("sampling_rate").as_integer();
  settings.audio.fft_size = data.at("filter_length").as_integer();
  settings.audio.hop_length = data.at("hop_length").as_integer();
  settings.audio.win_length = data.at("win_length").as_integer();
  settings.audio.mel_bins = data.at("n_mel_channels").as_integer();
  settings.audio.mel_min_hz = data.at("mel_fmin").as_number();
  ModelSettings& m = settings.model;
  m.vocabulary_size = model.at("n_vocab").as_integer();
  m.speaker_count = std::max<int64_t>(1, model.at("n_speakers").as_integer());
  m.speaker_channels = m.speaker_count > 1 ? model.at("gin_channels").as_integer() : 0;
  m.posterior_input = flag(train, "mel_posterior") ? PosteriorInput::kMel : PosteriorInput::kLinear;
  m.spectrogram_bins =
      m.posterior_input == PosteriorInput::kMel ? settings.audio.mel_bins : settings.audio.linear_bins();
  m.inter_channels = model.at("inter_channels").as_integer();
  m.hidden_channels = model.at("hidden_channels").as_integer();
  m.filter_channels = model.at("filter_channels").as_integer();
  m.attention_heads = model.at("n_heads").as_integer();
  m.encoder_layers = model.at("n_layers").as_integer();
  m.encoder_kernel_size = model.at("kernel_size").as_integer();
  m.dropout = model.at("p_dropout").as_number();
  m.speaker_conditioned_encoder = m.speaker_count > 1 && flag(model, "use_spk_conditioned_encoder");
  m.flow_kind = FlowKind::kPlain;
  if (flag(model, "use_transformer_flows")) {
    m.flow_kind =
        model.at("transformer_flow_type").as_string() == "pre_conv" ? FlowKind::kPreConv : FlowKind::kPreConv2;
  }
  m.stochastic_duration_predictor = flag(model, "use_sdp");
  m.noise_scaled_alignment = flag(model, "use_noise_scaled_mas");
  const JsonValue* discriminator = config.find("dur_disc");
  const std::string kind =
      discriminator != nullptr && discriminator->is_string() ? discriminator->as_string() : std::string();
  m.duration_discriminator = kind == "dur_disc_2"   ? DurationDiscriminatorKind::kV2
                             : kind == "dur_disc_1" ? DurationDiscriminatorKind::kV1
                                                    : DurationDiscriminatorKind::kNone;
  m.resblock_kind = model.at("resblock").as_string() == "1" ? 1 : 2;
  m.resblock_kernel_sizes = integers(model.at("resblock_kernel_sizes"));
  m.resblock_dilations.clear();
  for (const JsonValue& row : model.at("resblock_dilation_sizes").items()) m.resblock_dilations.push_back(integers(row));
  m.upsample_rates = integers(model.at("upsample_rates"));
  m.upsample_kernel_sizes = integers(model.at("upsample_kernel_sizes"));
  m.upsample_initial_channels = model.at("upsample_initial_channel").as_integer();
  m.discriminator_width_divisor = config.at("mpd_width_div").as_integer();
  settings.segment_frames = train.at("segment_size").as_integer() / settings.audio.hop_length;
  settings.mel_weight = train.at("c_mel").as_number();
  settings.kl_weight = train.at("c_kl").as_number();
  return settings;
}

NamedTensors with_prefix(const SafetensorsFile& file, const std::string& prefix) {
  NamedTensors out;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.compare(0, prefix.size(), prefix) == 0) out.emplace_back(name.substr(prefix.size()), tensor);
  }
  return out;
}

std::string text_of(const std::string& path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

// What the tolerance files list as noise.
struct Exceptions {
  std::set<std::string> zero_gradients;
  std::set<std::string> unstable_parameters;
};

Exceptions exceptions_of(const std::string& path) {
  const JsonValue tolerances = parse_json(text_of(path));
  Exceptions out;
  for (const JsonValue& name : tolerances.at("mathematically_zero_grads").items()) {
    out.zero_gradients.insert(name.as_string());
  }
  for (const JsonValue& row : tolerances.at("params_unstable_after_adamw").items()) {
    out.unstable_parameters.insert(row.items().front().as_string());
  }
  return out;
}

class StepFixture {
 public:
  explicit StepFixture(const std::string& path, const std::string& tolerance_path)
      : file(load_safetensors(path)), exceptions(exceptions_of(tolerance_path)) {
    for (const auto& [key, value] : file.metadata) {
      if (key == "config") config = parse_json(value);
    }
    for (const auto& [name, tensor] : file.tensors) by_name.emplace(name, tensor);
  }
  const at::Tensor& operator[](const std::string& name) const {
    const auto found = by_name.find(name);
    REQUIRE_MESSAGE(found != by_name.end(), "the fixture has no tensor ", name);
    return found->second;
  }
  bool has(const std::string& name) const { return by_name.count(name) > 0; }

  SafetensorsFile file;
  Exceptions exceptions;
  JsonValue config;
  std::unordered_map<std::string, at::Tensor> by_name;
};

void check_network(const StepFixture& fixture, const ParameterStore& store, const std::string& suffix) {
  for (const auto& [key, parameter] : store.entries()) {
    CAPTURE(key);
    const std::string gradient = "grad" + suffix + "/" + key;
    const std::string norm = "gradnorm" + suffix + "/" + key;
    if (fixture.exceptions.zero_gradients.count(gradient) == 0) {
      if (fixture.has(gradient)) {
        VT_CHECK_CLOSE(parameter.grad(), fixture[gradient], kGradient);
      } else if (fixture.has(norm)) {
        VT_CHECK_CLOSE(parameter.grad().norm(), fixture[norm], kGradient);
      } else {
        CHECK_MESSAGE(!parameter.grad().defined(), "the reference has no gradient here");
      }
    }
    const std::string updated = suffix + "1/" + key;
    // The largest tensors are left out of some sets for size; their gradient norm is checked above.
    if (fixture.has(updated) && fixture.exceptions.unstable_parameters.count(updated) == 0) {
      const double worst = (parameter - fixture[updated]).abs().max().item<double>();
      CHECK_LE(worst, kUpdatedParameter);
    }
  }
}

void check_step(const StepFixture& fixture) {
  const TrainerSettings settings = settings_of(fixture.config);
  Trainer trainer(settings, at::kCPU);
  trainer.generator()->parameters().assign(with_prefix(fixture.file, "G0/"), "fixture");
  trainer.discriminator_parameters().assign(with_prefix(fixture.file, "D0/"), "fixture");
  trainer.duration_discriminator_parameters().assign(with_prefix(fixture.file, "DUR0/"), "fixture");
  const at::Tensor speakers = fixture.has("in/sid") ? fixture["in/sid"] : at::Tensor();

  StepInputs inputs = trainer.prepare(fixture["in/x"], fixture["in/x_lengths"], fixture["in/wav"].squeeze(1),
                                      fixture["in/wav_lengths"], speakers);
  const at::Tensor frame_mask = fixture["out/y_mask"];
  VT_CHECK_CLOSE(inputs.spectrogram, fixture["in/spec"], kForward);
  VT_CHECK_CLOSE(inputs.mel_BMS * frame_mask, fixture["out/mel"] * frame_mask, kForward);
  inputs.spectrogram = fixture["in/spec"];
  inputs.mel_BMS = fixture["out/mel"];

  {
    RecordedNoise noise(fixture.file, true);
    const at::Tensor scales = fixture["infer/scales"];
    const Voice voice(trainer.generator(), settings.audio);
    const SynthesisTrace trace =
        voice.synthesize(inputs.token_ids_BT, inputs.token_lengths_B, inputs.speaker_ids_B,
                         {scales[0].item<double>(), scales[1].item<double>(), scales[2].item<double>()}, noise);
    VT_CHECK_SAME_BITS(trace.durations_B1T, fixture["infer/w_ceil"]);
    VT_CHECK_SAME_BITS(trace.frame_lengths_B, fixture["infer/y_lengths"]);
    VT_CHECK_CLOSE(trace.mean_p_BCS, fixture["infer/m_p"], kForward);
    VT_CHECK_CLOSE(trace.log_std_p_BCS, fixture["infer/logs_p"], kForward);
    VT_CHECK_CLOSE(trace.z_p_BCS, fixture["infer/z_p"], kForward);
    VT_CHECK_CLOSE(trace.z_BCS, fixture["infer/z"], kForward);
    VT_CHECK_CLOSE(trace.audio_B1N, fixture["infer/y_hat"], kForward);
  }

  RecordedNoise noise(fixture.file, false);
  GeneratorPass pass;
  const StepLosses losses = trainer.step(inputs, {}, noise, &pass);

  VT_CHECK_CLOSE(pass.text.hidden_BHT, fixture["out/enc_p.h"], kForward);
  VT_CHECK_CLOSE(pass.text.mean_BCT, fixture["out/enc_p.m"], kForward);
  VT_CHECK_CLOSE(pass.text.log_std_BCT, fixture["out/enc_p.logs"], kForward);
  VT_CHECK_CLOSE(pass.posterior.z_BCS, fixture["out/enc_q.z"], kForward);
  VT_CHECK_CLOSE(pass.posterior.mean_BCS, fixture["out/enc_q.m"], kForward);
  VT_CHECK_CLOSE(pass.posterior.log_std_BCS, fixture["out/enc_q.logs"], kForward);
  VT_CHECK_CLOSE(pass.z_p_BCS, fixture["out/flow.z_p"], kForward);
  VT_CHECK_CLOSE(pass.score_BST, fixture["out/mas.neg_cent"], kForward);
  VT_CHECK_SAME_BITS(pass.durations_BT.to(at::kFloat).unsqueeze(1), fixture["out/dur.w"]);
  VT_CHECK_CLOSE(pass.mean_p_BCS, fixture["out/prior.m_p"], kForward);
  VT_CHECK_CLOSE(pass.log_std_p_BCS, fixture["out/prior.logs_p"], kForward);
  VT_CHECK_CLOSE(pass.log_durations_B1T, fixture["out/dp.logw"], kForward);
  VT_CHECK_CLOSE(pass.log_durations_target_B1T, fixture["out/dp.logw_real"], kForward);
  VT_CHECK_CLOSE(pass.duration_loss_B, fixture["out/dp.l_length"], kForward);
  VT_CHECK_SAME_BITS(at::tensor(pass.segment_starts_B), fixture["out/slice.ids"]);
  VT_CHECK_CLOSE(pass.z_segment_BCS, fixture["out/slice.z"], kForward);
  VT_CHECK_CLOSE(pass.samples_segment_B1N, fixture["out/slice.wav"], kForward);
  VT_CHECK_CLOSE(pass.mel_segment_BMS, fixture["out/slice.mel"], kForward);
  VT_CHECK_CLOSE(pass.generated_B1N, fixture["out/dec.y_hat"], kForward);
  VT_CHECK_CLOSE(pass.generated_mel_BMS, fixture["out/mel_hat"], kForward);

  VT_CHECK_CLOSE(losses.discriminator.total, fixture["loss/disc"], kForward);
  VT_CHECK_CLOSE(losses.adversarial.total, fixture["loss/gen"], kForward);
  for (size_t i = 0; i < losses.adversarial.parts.size(); ++i) {
    const std::string index = std::to_string(i);
    VT_CHECK_CLOSE(losses.discriminator.real_parts[i], fixture["loss/disc_r." + index], kForward);
    VT_CHECK_CLOSE(losses.discriminator.generated_parts[i], fixture["loss/disc_g." + index], kForward);
    VT_CHECK_CLOSE(losses.adversarial.parts[i], fixture["loss/gen." + index], kForward);
  }
  VT_CHECK_CLOSE(losses.feature_matching, fixture["loss/fm"], kForward);
  VT_CHECK_CLOSE(losses.mel, fixture["loss/mel"], kForward);
  VT_CHECK_CLOSE(losses.kl, fixture["loss/kl"], kForward);
  VT_CHECK_CLOSE(losses.duration, fixture["loss/dur"], kForward);
  VT_CHECK_CLOSE(losses.generator_total, fixture["loss/total"], kForward);
  VT_CHECK_CLOSE(losses.generator_norm, fixture["norm/G"], kGradient);
  VT_CHECK_CLOSE(losses.discriminator_norm, fixture["norm/D"], kGradient);
  if (fixture.has("loss/dur_disc")) {
    VT_CHECK_CLOSE(losses.duration_discriminator.total, fixture["loss/dur_disc"], kForward);
    VT_CHECK_CLOSE(losses.duration_adversarial, fixture["loss/dur_gen"], kForward);
    VT_CHECK_CLOSE(losses.duration_discriminator_norm, fixture["norm/DUR"], kGradient);
  } else {
    CHECK_FALSE(losses.duration_adversarial.defined());
  }

  check_network(fixture, trainer.generator()->parameters(), "G");
  check_network(fixture, trainer.discriminator_parameters(), "D");
  check_network(fixture, trainer.duration_discriminator_parameters(), "DUR");
}

void check_step_named(const std::string& path, const std::string& tolerance_path) {
  check_step(StepFixture(path, tolerance_path));
}

TEST_SUITE("train") {
  TEST_CASE("a step equals the reference: one speaker, mel posterior, stochastic durations") {
    VT_FIXTURE(path, "step_ss_mel_sdp.safetensors");
    VT_FIXTURE(tolerances, "tol_ss_mel_sdp.json");
    check_step_named(path, tolerances);
  }
  TEST_CASE("a step equals the reference: three speakers, mel posterior, stochastic durations") {
    VT_FIXTURE(path, "step_ms_mel_sdp.safetensors");
    VT_FIXTURE(tolerances, "tol_ms_mel_sdp.json");
    check_step_named(path, tolerances);
  }
  TEST_CASE("a step equals the reference: one speaker, linear posterior, deterministic durations") {
    VT_FIXTURE(path, "step_ss_lin_dp.safetensors");
    VT_FIXTURE(tolerances, "tol_ss_lin_dp.json");
    check_step_named(path, tolerances);
  }
  TEST_CASE("a step equals the reference: three speakers, linear posterior, residual block 2") {
    VT_FIXTURE(path, "step_ms_lin_dp.safetensors");
    VT_FIXTURE(tolerances, "tol_ms_lin_dp.json");
    check_step_named(path, tolerances);
  }
  TEST_CASE("a step equals the reference: VITS of 2021") {
    VT_FIXTURE(path, "step_ss_vits1.safetensors");
    VT_FIXTURE(tolerances, "tol_ss_vits1.json");
    check_step_named(path, tolerances);
  }
}

}  // namespace
}  // namespace valetts
