#include "parity/fixture.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "core/check.h"

namespace valetts {

namespace {

std::vector<int64_t> integers(const JsonValue& list) {
  std::vector<int64_t> out;
  for (const JsonValue& item : list.items()) out.push_back(item.as_integer());
  return out;
}

bool flag(const JsonValue& object, const char* name, bool otherwise = false) {
  const JsonValue* value = object.find(name);
  return value != nullptr && value->kind() == JsonValue::Kind::kBool ? value->as_bool() : otherwise;
}

// Weights and inputs serve comparisons; they are none themselves.
bool is_input(const std::string& name) {
  return name.find("w/") == 0 || name.find("/w/") != std::string::npos || name.find("/in.") != std::string::npos;
}

bool ends_with(const std::string& text, const std::string& ending) {
  return text.size() >= ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

}  // namespace

Fixture::Fixture(const std::string& path, at::Device device, at::ScalarType type)
    : path_(path), device_(device), type_(type), file_(load_safetensors(path)) {
  for (const auto& [name, tensor] : file_.tensors) by_name_.emplace(name, tensor);
}

const at::Tensor& Fixture::stored(const std::string& name) const {
  const auto found = by_name_.find(name);
  VT_CHECK_IO(found != by_name_.end(), path_, " has no tensor '", name, "'");
  used_.insert(name);
  return found->second;
}

at::Tensor Fixture::operator[](const std::string& name) const {
  const at::Tensor& tensor = stored(name);
  return tensor.is_floating_point() ? tensor.to(device_, type_) : tensor.to(device_);
}

NamedTensors Fixture::under(const std::string& prefix, const std::string& replacement) const {
  NamedTensors out;
  for (const auto& [name, tensor] : file_.tensors) {
    if (name.compare(0, prefix.size(), prefix) != 0) continue;
    used_.insert(name);
    out.emplace_back(replacement + name.substr(prefix.size()), tensor);
  }
  return out;
}

std::vector<std::string> Fixture::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file_.tensors) {
    if (used_.count(name) == 0 && !is_input(name)) names.push_back(name);
  }
  return names;
}

const std::string* Fixture::metadata(const std::string& key) const {
  for (const auto& [name, value] : file_.metadata) {
    if (name == key) return &value;
  }
  return nullptr;
}

StepSchedule schedule_of_reference(const JsonValue& config) {
  StepSchedule schedule;
  schedule.mel_weight = config.at("train").at("c_mel").as_number();
  schedule.kl_weight = config.at("train").at("c_kl").as_number();
  return schedule;
}

TrainerSettings settings_of_reference(const JsonValue& config, Precision precision) {
  const JsonValue& model = config.at("model");
  const JsonValue& data = config.at("data");
  const JsonValue& train = config.at("train");
  TrainerSettings settings;
  settings.precision = precision;
  settings.reference_padding = true;
  settings.audio.sample_rate_hz = data.at("sampling_rate").as_integer();
  settings.audio.fft_size = data.at("filter_length").as_integer();
  settings.audio.hop_length = data.at("hop_length").as_integer();
  settings.audio.win_length = data.at("win_length").as_integer();
  settings.audio.mel_bins = data.at("n_mel_channels").as_integer();
  settings.audio.mel_min_hz = data.at("mel_fmin").as_number();
  const JsonValue* top = data.find("mel_fmax");
  if (top != nullptr && top->is_number()) settings.audio.mel_max_hz = top->as_number();

  ModelSettings& m = settings.model;
  if (const JsonValue* vocabulary = model.find("n_vocab")) m.vocabulary_size = vocabulary->as_integer();
  const JsonValue* speakers = model.find("n_speakers");
  if (speakers == nullptr) speakers = &data.at("n_speakers");
  m.speaker_count = std::max<int64_t>(1, speakers->as_integer());
  m.speaker_channels = m.speaker_count > 1 ? model.at("gin_channels").as_integer() : 0;
  const bool mel = flag(train, "mel_posterior", flag(model, "use_mel_posterior_encoder"));
  m.posterior_input = mel ? PosteriorInput::kMel : PosteriorInput::kLinear;
  m.spectrogram_bins = mel ? settings.audio.mel_bins : settings.audio.linear_bins();
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
    const std::string& kind = model.at("transformer_flow_type").as_string();
    VT_CHECK_ARG(kind == "pre_conv" || kind == "pre_conv2", "the core has no flow of the reference's type '", kind,
                 "'; it has pre_conv, pre_conv2 and the plain flow of VITS");
    m.flow_kind = kind == "pre_conv" ? FlowKind::kPreConv : FlowKind::kPreConv2;
  }
  m.stochastic_duration_predictor = flag(model, "use_sdp", true);
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
  if (const JsonValue* divisor = config.find("mpd_width_div")) m.discriminator_width_divisor = divisor->as_integer();
  settings.segment_frames = train.at("segment_size").as_integer() / settings.audio.hop_length;
  return settings;
}

at::Tensor formula_weight(const std::string& name, const std::vector<int64_t>& shape, int64_t offset) {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  const at::Tensor index = at::arange(offset, offset + count, at::TensorOptions(at::kDouble));
  at::Tensor r = (at::sin(index * 12.9898 + 78.233).abs() * 437.585453).frac();
  const double fan = shape.empty() ? 1.0 : static_cast<double>(count) / static_cast<double>(shape.front());
  if (ends_with(name, "weight_g")) {
    r = r * 0.6 + 0.7;
  } else if (ends_with(name, "gamma")) {
    r = r * 0.4 + 0.8;
  } else if (shape.size() > 1 && fan > 1.0) {
    r = (r * 2.0 - 1.0) * (1.5 / std::sqrt(fan));
  } else {
    r = (r * 2.0 - 1.0) * 0.1;
  }
  return r.to(at::kFloat).view(shape);
}

NamedTensors formula_weights(const JsonValue& keys, const ParameterStore& wanted, const std::string& prefix) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : wanted.entries()) names.insert(name);
  NamedTensors out;
  for (const JsonValue& row : keys.items()) {
    const std::string name = prefix + row.items().at(0).as_string();
    if (names.count(name) == 0) continue;
    out.emplace_back(name, formula_weight(name, integers(row.items().at(1)), row.items().at(2).as_integer()));
  }
  return out;
}

NamedTensors perturbed(const NamedTensors& weights, Precision precision, uint64_t seed) {
  const double unit = precision == Precision::kBf16 ? 0x1p-8 : 0x1p-11;  // TF32 has float16's mantissa
  at::Generator generator = at::detail::createCPUGenerator(seed);
  NamedTensors out;
  for (const auto& [name, weight] : weights) {
    const at::Tensor moves = at::empty(weight.sizes(), at::kFloat).uniform_(-unit, unit, generator);
    out.emplace_back(name, weight * (moves + 1.0));
  }
  return out;
}

int64_t perturbed_runs(Precision precision) {
  return precision == Precision::kFp32 || precision == Precision::kFp64 ? 0 : 3;
}

JsonValue read_json(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  VT_CHECK_IO(stream.good(), "cannot read ", path);
  std::stringstream text;
  text << stream.rdbuf();
  try {
    return parse_json(text.str());
  } catch (const Error& e) {
    fail(StatusCode::kIo, path, ": ", e.what());
  }
}

}  // namespace valetts
