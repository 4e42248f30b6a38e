// The sets that record one module each, and the full-size networks.
#include <ATen/ATen.h>

#include <map>

#include "core/check.h"
#include "core/shapes.h"
#include "dsp/spectrogram.h"
#include "loss/losses.h"
#include "mas/mas.h"
#include "model/discriminator.h"
#include "model/generator.h"
#include "spline/spline.h"
#include "parity/checks.h"

namespace valetts {

namespace {

int64_t integer(const Fixture& fixture, const std::string& key) {
  const std::string* text = fixture.metadata(key);
  VT_CHECK_IO(text != nullptr, "the fixture's metadata has no '", key, "'");
  return std::stoll(*text);
}

at::Tensor sum_of_magnitudes(const at::Tensor& x) { return widened(x).abs().sum(at::kDouble); }

}  // namespace

at::Tensor RecordedNoise::draw(NoiseStream stream) const {
  for (const auto& [known, name] : names_) {
    if (known == stream) return fixture_[name];
  }
  fail(StatusCode::kInternal, "no draw is recorded for stream ", static_cast<uint32_t>(stream));
}

at::Tensor RecordedNoise::normal_BCT(NoiseStream stream, int64_t channels, int64_t time) {
  at::Tensor values = draw(stream);
  VT_CHECK_IO(values.size(1) == channels && values.size(2) == time, "a recorded draw has shape ", values.sizes(),
              ", the pass needs ", channels, " channels and ", time, " positions");
  return values;
}

at::Tensor RecordedNoise::uniform_B(NoiseStream stream) { return draw(stream).to(at::kCPU, at::kFloat); }

void compare_feature_maps(const Fixture& fixture, const std::string& prefix, const FeatureMaps& maps,
                          ParityReport& report) {
  for (size_t d = 0; d < maps.size(); ++d) {
    for (size_t i = 0; i < maps[d].size(); ++i) {
      const std::string name = prefix + "." + std::to_string(d) + "." + std::to_string(i);
      const at::Tensor& map = maps[d][i];
      if (fixture.has(name + ".shape")) {
        report.exact(name + ".shape", at::tensor(map.sizes(), at::kLong), fixture.stored(name + ".shape"));
      }
      if (!fixture.has(name + ".abssum")) continue;
      const at::Tensor magnitude = fixture.stored(name + ".abssum");
      report.forward(name + ".abssum", sum_of_magnitudes(map).cpu(), magnitude);
      if (fixture.has(name + ".sum")) {
        // A sum that nearly cancels is measured by what it is a sum of.
        const at::Tensor sum = fixture.stored(name + ".sum");
        const at::Tensor ours = widened(map).sum(at::kDouble).cpu();
        report.absolute(name + ".sum", ours, sum, report.limits().forward * magnitude.item<double>());
      }
    }
  }
}

void check_spectrogram(const Fixture& fixture, const ParityRequest& request, ParityReport& report) {
  AudioSettings audio;
  audio.sample_rate_hz = integer(fixture, "sr");
  audio.fft_size = integer(fixture, "n_fft");
  audio.hop_length = integer(fixture, "hop");
  audio.win_length = integer(fixture, "win");
  audio.mel_bins = integer(fixture, "n_mels");
  const SpectrogramExtractor extractor(audio);
  const PrecisionScope scope(request.device, request.precision);
  report.forward("mel_fbank", mel_filterbank_MF(audio), fixture["mel_fbank"]);
  at::Tensor wav = fixture["wav"].clone().set_requires_grad(true);
  report.forward("linear", extractor.linear_BFS(wav), fixture["linear"]);
  report.forward("mel_from_linear", extractor.mel_from_linear(fixture["linear"]), fixture["mel_from_linear"]);
  const at::Tensor mel = extractor.mel_BMS(wav);
  report.forward("mel", mel, fixture["mel"]);
  (mel * fixture["grad_weight"]).sum().backward();
  report.gradient("grad_wav", wav.grad(), fixture["grad_wav"]);
  report.forward("hann", at::hann_window(audio.win_length, /*periodic=*/true), fixture["hann"]);
}

void check_encoder(const Fixture& fixture, const ParityRequest& request, ParityReport& report) {
  at::NoGradGuard no_grad;
  ParameterStore store(0, request.device, parameter_type(request.precision));
  const TransformerEncoder encoder(store, "encoder",
                                   {.channels = integer(fixture, "hidden"),
                                    .filter_channels = integer(fixture, "filter"),
                                    .heads = integer(fixture, "heads"),
                                    .layers = integer(fixture, "layers"),
                                    .kernel_size = integer(fixture, "kernel"),
                                    .dropout = 0.0,
                                    .window = integer(fixture, "window"),
                                    .speaker_channels = fixture.stored("w/spk_emb_linear.weight").size(1)});
  store.assign(fixture.under("w/", "encoder."), "encoder fixture");
  RecordedNoise noise(fixture, {});
  const PrecisionScope scope(request.device, request.precision);
  // Longer than the attention window, equal to it with the token itself, and shorter.
  for (const char* length : {"T23/", "T5/", "T3/"}) {
    const std::string set(length);
    const at::Tensor x = fixture[set + "x"], mask = fixture[set + "mask"];
    report.forward(set + "out", encoder(x, mask, fixture[set + "g"], {false, noise}), fixture[set + "out"]);
    report.forward(set + "out_nog", encoder(x, mask, at::Tensor(), {false, noise}), fixture[set + "out_nog"]);
  }
}

void check_flows(const Fixture& fixture, const ParityRequest& request, ParityReport& report) {
  at::NoGradGuard no_grad;
  const PrecisionScope scope(request.device, request.precision);
  const std::pair<const char*, FlowKind> kinds[] = {
      {"vits1", FlowKind::kPlain}, {"pre_conv", FlowKind::kPreConv}, {"pre_conv2", FlowKind::kPreConv2}};
  for (const auto& [name, kind] : kinds) {
    const std::string set = std::string(name) + "/";
    ModelSettings settings;
    settings.flow_kind = kind;
    settings.inter_channels = integer(fixture, "channels");
    settings.hidden_channels = integer(fixture, "hidden");
    settings.flow_couplings = integer(fixture, "n_flows");
    settings.flow_layers = integer(fixture, "wn_layers");
    settings.speaker_channels = integer(fixture, "gin");
    ParameterStore store(0, request.device, parameter_type(request.precision));
    const Flow flow(store, "flow", settings);
    store.assign(fixture.under(set + "w/", "flow."), "flow fixture " + std::string(name));
    RecordedNoise noise(fixture, {});
    const Pass pass{false, noise};
    const at::Tensor z = fixture[set + "in.z"], mask = fixture[set + "in.mask"], speaker = fixture[set + "in.g"];
    const at::Tensor z_p = flow.forward(z, mask, speaker, pass);
    report.forward(set + "out.z_p", z_p, fixture[set + "out.z_p"]);
    report.forward(set + "out.reverse_of_z_p", flow.inverse(fixture[set + "out.z_p"], mask, speaker, pass),
                   fixture[set + "out.reverse_of_z_p"]);
    report.forward(set + "out.reverse_of_z", flow.inverse(z, mask, speaker, pass), fixture[set + "out.reverse_of_z"]);
  }
}

void check_spline(const Fixture& fixture, const ParityRequest&, ParityReport& report) {
  at::NoGradGuard no_grad;
  const double tail = std::stod(*fixture.metadata("tail_bound"));
  for (const bool inverse : {false, true}) {
    const std::string name = inverse ? "inv" : "fwd";
    const auto [y, log_derivative] =
        rational_quadratic_spline(fixture["x"], fixture["uw"], fixture["uh"], fixture["ud"], inverse, tail);
    report.forward(name, y, fixture[name]);
    report.forward(name + "_logabsdet", log_derivative, fixture[name + "_logabsdet"]);
  }
}

void check_alignment(const Fixture& fixture, const ParityRequest& request, ParityReport& report) {
  at::NoGradGuard no_grad;
  for (const char* name : {"rand", "ties", "big", "min"}) {
    const std::string set = std::string(name) + "/";
    const at::Tensor score = fixture[set + "value"].to(at::kFloat);
    const at::Tensor durations = mas_path(score, fixture[set + "t_x"], fixture[set + "t_y"]);
    report.exact(set + "path", expand_durations_BST(durations, score.size(1)), fixture[set + "path"]);
  }
  const at::Tensor mask = fixture["gen/x_mask"].squeeze(1).unsqueeze(1) * fixture["gen/y_mask"].transpose(1, 2);
  report.exact("gen/path",
               expand_durations_BST(fixture["gen/dur"].squeeze(1), fixture.stored("gen/path").size(1)) * mask,
               fixture["gen/path"]);
  const at::Tensor score = fixture["noisy/neg_cent"];
  report.forward("noisy/std", score.std(), fixture["noisy/std"]);
  const at::Tensor whole_B = at::full({score.size(0)}, score.size(1), at::TensorOptions(at::kLong).device(request.device));
  report.forward("noisy/out_scale_0.01",
                 noisy_score_BST(score, fixture["noisy/randn"], at::full({}, 0.01, score.options()), whole_B, whole_B, /*over_padding=*/true),
                 fixture["noisy/out_scale_0.01"]);
}

void check_duration_discriminators(const Fixture& fixture, const ParityRequest& request, ParityReport& report) {
  for (const bool second : {false, true}) {
    const std::string set = second ? "v2/" : "v1/";
    ModelSettings settings;
    settings.hidden_channels = integer(fixture, "hidden");
    settings.duration_discriminator = second ? DurationDiscriminatorKind::kV2 : DurationDiscriminatorKind::kV1;
    const DurationReduction reduction =
        second ? DurationReduction::kPaddedMean : DurationReduction::kPaddedMeanSummedOverBatch;
    ParameterStore store(0, request.device, parameter_type(request.precision));
    const DurationDiscriminator discriminator(store, settings);
    store.assign(fixture.under(set + "w/"), "duration discriminator fixture");
    const at::Tensor hidden = fixture[set + "in.h"], mask = fixture[set + "in.mask"];
    at::Tensor real, generated;
    {
      const PrecisionScope scope(request.device, request.precision);
      real = discriminator(hidden, mask, fixture[set + "in.d_real"]);
      generated = discriminator(hidden, mask, fixture[set + "in.d_hat"]);
    }
    report.forward(set + "out.real", real, fixture[set + "out.real"]);
    report.forward(set + "out.fake", generated, fixture[set + "out.fake"]);
    const DiscriminatorLoss loss = duration_discriminator_loss(real, generated, mask, reduction, mask.sum());
    report.forward(set + "loss.disc", loss.total, fixture[set + "loss.disc"]);
    report.forward(set + "loss.gen", duration_generator_loss(generated, mask, reduction, mask.sum()), fixture[set + "loss.gen"]);
    loss.total.backward();
    std::map<std::string, std::vector<at::Tensor>> perturbed_gradients;
    for (int64_t run = 0; run < perturbed_runs(request.precision); ++run) {
      ParameterStore moved_store(0, request.device);
      const DurationDiscriminator moved(moved_store, settings);
      moved_store.assign(perturbed(fixture.under(set + "w/"), request.precision, static_cast<uint64_t>(run)),
                         "duration discriminator fixture");
      duration_discriminator_loss(moved(hidden, mask, fixture[set + "in.d_real"]),
                                  moved(hidden, mask, fixture[set + "in.d_hat"]), mask, reduction, mask.sum())
          .total.backward();
      for (const auto& [name, parameter] : moved_store.entries()) {
        if (parameter.grad().defined()) perturbed_gradients[name].push_back(parameter.grad());
      }
    }
    for (const auto& [name, parameter] : store.entries()) {
      const std::string gradient = set + "grad/" + name;
      if (fixture.has(gradient)) {
        report.gradient(gradient, parameter.grad(), fixture[gradient], perturbed_gradients[name]);
      } else {
        report.fact(gradient + " is none", !parameter.grad().defined());
      }
    }
  }
}

void check_full_size(const Fixture& fixture, const ParityRequest& request, ParityReport& report) {
  at::NoGradGuard no_grad;
  const std::string* text = fixture.metadata("config");
  VT_CHECK_IO(text != nullptr, request.set, ".safetensors has no config in its metadata");
  TrainerSettings settings = settings_of_reference(parse_json(*text), request.precision);
  settings.model.vocabulary_size = integer(fixture, "n_vocab");
  const at::ScalarType type = parameter_type(request.precision);
  const PrecisionScope scope(request.device, request.precision);
  {
    Generator generator(settings.model, 0, request.device, type);
    generator.parameters().assign(
        formula_weights(read_json(request.folder + "/keys/fixture_" + request.set + "_G.json"), generator.parameters()),
        "formula weights");
    RecordedNoise noise(fixture,
                        {{NoiseStream::kPosterior, "G/noise.enc_q"}, {NoiseStream::kDurationReverse, "G/noise.dp"}});
    const Pass pass{false, noise};
    const at::Tensor speaker = fixture.has("G/sid") ? generator.speaker_BG1(fixture["G/sid"]) : at::Tensor();
    const TextEncoding encoding = generator.text_encoder(fixture["G/x"], fixture["G/x_lengths"], speaker, pass);
    report.forward("G/enc_p.h", encoding.hidden_BHT, fixture["G/enc_p.h"]);
    report.forward("G/enc_p.m", encoding.mean_BCT, fixture["G/enc_p.m"]);
    report.forward("G/enc_p.logs", encoding.log_std_BCT, fixture["G/enc_p.logs"]);
    const PosteriorEncoding posterior =
        generator.posterior_encoder(fixture["G/spec"], fixture["G/spec_lengths"], speaker, noise);
    report.forward("G/enc_q.z", posterior.z_BCS, fixture["G/enc_q.z"]);
    report.forward("G/enc_q.logs", posterior.log_std_BCS, fixture["G/enc_q.logs"]);
    report.forward("G/flow.z_p", generator.flow.forward(posterior.z_BCS, posterior.mask_B1S, speaker, pass),
                   fixture["G/flow.z_p"]);
    report.forward("G/dp.logw", generator.predict_log_durations(encoding, speaker, 0.8, pass), fixture["G/dp.logw"]);
    constexpr int64_t kDecodedFrames = 16;
    report.forward("G/dec.in16_out", generator.decoder(posterior.z_BCS.narrow(2, 0, kDecodedFrames), speaker),
                   fixture["G/dec.in16_out"]);
  }
  ParameterStore store(0, request.device, type);
  const WaveformDiscriminator discriminator(store, settings.model);
  store.assign(formula_weights(read_json(request.folder + "/keys/p0p4k_D.json"), store), "formula weights");
  const DiscriminatorOutput real = discriminator(fixture["mpd/y"]), generated = discriminator(fixture["mpd/y_hat"]);
  for (size_t i = 0; i < real.logits.size(); ++i) {
    const std::string index = std::to_string(i);
    report.forward("mpd/r." + index, real.logits[i], fixture["mpd/r." + index]);
    report.forward("mpd/g." + index, generated.logits[i], fixture["mpd/g." + index]);
  }
  compare_feature_maps(fixture, "mpd/fmap_r", real.feature_maps, report);
  report.forward("mpd/feature_loss", feature_matching_loss(real.feature_maps, generated.feature_maps),
                 fixture["mpd/feature_loss"]);
}

}  // namespace valetts
