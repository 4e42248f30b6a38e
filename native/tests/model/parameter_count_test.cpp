// The networks have exactly the published sizes, and the names, shapes and order of the reference's state dict.
#include <ATen/ATen.h>

#include <fstream>
#include <sstream>

#include "core/json.h"
#include "fixtures.h"
#include "model/discriminator.h"
#include "model/generator.h"

namespace valetts {
namespace {

struct Counts {
  int64_t text_encoder, posterior_encoder, flow, decoder, duration_predictor, speakers, total;
};

ModelSettings single_speaker() {
  ModelSettings settings;
  settings.vocabulary_size = 178;
  return settings;
}

ModelSettings multi_speaker() {
  ModelSettings settings = single_speaker();
  settings.speaker_count = 109;
  settings.speaker_channels = 256;
  settings.speaker_conditioned_encoder = true;
  return settings;
}

void check_counts(const ModelSettings& settings, const Counts& expected) {
  const Generator generator(settings, 1, at::kCPU);
  const ParameterStore& store = generator.parameters();
  const int64_t dead = Flow::dead_parameter_count(settings);
  CHECK_EQ(store.count("enc_p."), expected.text_encoder);
  CHECK_EQ(store.count("enc_q."), expected.posterior_encoder);
  CHECK_EQ(store.count("flow.") + dead, expected.flow);
  CHECK_EQ(store.count("dec."), expected.decoder);
  CHECK_EQ(store.count("dp."), expected.duration_predictor);
  CHECK_EQ(store.count("emb_g."), expected.speakers);
  CHECK_EQ(store.count() + dead, expected.total);
}

// keys/*.json: [key, shape, offset] in the reference's order.
void check_keys(const ParameterStore& store, const std::string& path, const std::string& dead_part) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  const JsonValue rows = parse_json(text.str());
  size_t next = 0;
  for (const JsonValue& row : rows.items()) {
    const std::string& key = row.items()[0].as_string();
    if (!dead_part.empty() && key.find(dead_part) != std::string::npos) continue;
    REQUIRE_LT(next, store.entries().size());
    const auto& [name, tensor] = store.entries()[next++];
    CHECK_EQ(name, key);
    std::vector<int64_t> shape;
    for (const JsonValue& size : row.items()[1].items()) shape.push_back(size.as_integer());
    CHECK_EQ(tensor.sizes().vec(), shape);
  }
  CHECK_EQ(next, store.entries().size());
}

TEST_SUITE("model") {
  TEST_CASE("parameter counts: ljs_base") {
    check_counts(single_speaker(), {6326784, 7154880, 10811520, 14337024, 1317168, 0, 39947376});
    CHECK_EQ(Flow::dead_parameter_count(single_speaker()), 2964480);
  }
  TEST_CASE("parameter counts: ljs_nosdp") {
    ModelSettings settings = single_speaker();
    settings.stochastic_duration_predictor = false;
    check_counts(settings, {6326784, 7154880, 10811520, 14337024, 345857, 0, 38976065});
  }
  TEST_CASE("parameter counts: ljs with pre_conv2") {
    ModelSettings settings = single_speaker();
    settings.flow_kind = FlowKind::kPreConv2;
    check_counts(settings, {6326784, 7154880, 9181056, 14337024, 1317168, 0, 38316912});
  }
  TEST_CASE("parameter counts: vctk_base") {
    ModelSettings settings = multi_speaker();
    settings.stochastic_duration_predictor = false;
    check_counts(settings, {6376128, 8740032, 12396672, 14468608, 395201, 27904, 42404545});
  }
  TEST_CASE("parameter counts: vctk_standard") {
    ModelSettings settings = multi_speaker();
    settings.flow_kind = FlowKind::kPreConv2;
    check_counts(settings, {6376128, 8740032, 10766208, 14468608, 1366512, 27904, 41745392});
  }
  TEST_CASE("parameter counts: VITS of 2021") {
    ModelSettings settings = single_speaker();
    settings.flow_kind = FlowKind::kPlain;
    settings.posterior_input = PosteriorInput::kLinear;
    settings.spectrogram_bins = 513;
    check_counts(settings, {6326784, 7238016, 7102080, 14337024, 1317168, 0, 36321072});
    settings.speaker_count = 109;
    settings.speaker_channels = 256;
    check_counts(settings, {6326784, 8823168, 8687232, 14468608, 1366512, 27904, 39700208});
  }
  TEST_CASE("parameter counts: Piper medium") {
    ModelSettings settings = single_speaker();
    settings.vocabulary_size = 256;
    settings.flow_kind = FlowKind::kPlain;
    settings.posterior_input = PosteriorInput::kLinear;
    settings.spectrogram_bins = 513;
    settings.resblock_kind = 2;
    settings.resblock_kernel_sizes = {3, 5, 7};
    settings.resblock_dilations = {{1, 2}, {2, 6}, {3, 12}};
    settings.upsample_rates = {8, 8, 4};
    settings.upsample_kernel_sizes = {16, 16, 8};
    settings.upsample_initial_channels = 256;
    check_counts(settings, {6341760, 7238016, 7102080, 1664768, 1317168, 0, 23663792});
    settings.speaker_count = 109;
    settings.speaker_channels = 512;
    check_counts(settings, {6341760, 10396032, 10260096, 1796096, 1415664, 55808, 30265456});
  }
  TEST_CASE("parameter counts: discriminators") {
    const ModelSettings settings = single_speaker();
    ParameterStore waveform(1, at::kCPU);
    const WaveformDiscriminator discriminator(waveform, settings);
    CHECK_EQ(waveform.count(), 46747132);
    CHECK_EQ(waveform.count("discriminators.0."), 5641362);
    CHECK_EQ(waveform.count("discriminators.1."), 8221154);
    ParameterStore duration_2(1, at::kCPU);
    const DurationDiscriminator v2(duration_2, settings);
    CHECK_EQ(duration_2.count(), 555841);
    ModelSettings with_v1 = settings;
    with_v1.duration_discriminator = DurationDiscriminatorKind::kV1;
    ParameterStore duration_1(1, at::kCPU);
    const DurationDiscriminator v1(duration_1, with_v1);
    CHECK_EQ(duration_1.count(), 555073);
  }
  TEST_CASE("names, shapes and order are the reference's: ljs_base") {
    VT_FIXTURE(path, "keys/p0p4k_G_ljs_base.json");
    check_keys(Generator(single_speaker(), 1, at::kCPU).parameters(), path, ".post_transformer.");
  }
  TEST_CASE("names, shapes and order are the reference's: vctk_standard") {
    VT_FIXTURE(path, "keys/p0p4k_G_vctk_standard.json");
    ModelSettings settings = multi_speaker();
    settings.flow_kind = FlowKind::kPreConv2;
    check_keys(Generator(settings, 1, at::kCPU).parameters(), path, "");
  }
  TEST_CASE("names, shapes and order are the reference's: discriminators") {
    VT_FIXTURE(waveform_path, "keys/p0p4k_D.json");
    VT_FIXTURE(duration_path, "keys/p0p4k_DUR_V2.json");
    ParameterStore waveform(1, at::kCPU);
    const WaveformDiscriminator discriminator(waveform, single_speaker());
    check_keys(waveform, waveform_path, "");
    ParameterStore duration(1, at::kCPU);
    const DurationDiscriminator predictor(duration, single_speaker());
    check_keys(duration, duration_path, "");
  }
  TEST_CASE("a weight-normalised layer starts with the direction's own norm as gain") {
    ParameterStore store(7, at::kCPU);
    const WeightNorm norm(store, "layer", {6, 3, 5}, 6);
    const at::Tensor direction = store.entries()[2].second;
    CHECK_EQ(store.entries()[2].first, "layer.weight_v");
    CHECK_LE((norm.weight() - direction).abs().max().item<double>(), 1e-6);
  }
}

}  // namespace
}  // namespace valetts
