// One whole training step: every intermediate, loss, gradient and updated parameter, then synthesis with the initial
// weights.
#include <ATen/ATen.h>

#include <map>
#include <set>

#include "core/check.h"
#include "core/shapes.h"
#include "infer/voice.h"
#include "mas/mas.h"
#include "parity/checks.h"

namespace valetts {

namespace {

// What the recording's tol_<set>.json says of its own precision.
struct Tolerances {
  std::map<std::string, double> fp32_error;  // largest |fp32 - fp64|
  std::set<std::string> zero_gradients;
  std::set<std::string> unstable_parameters;
};

Tolerances tolerances_of(const ParityRequest& request) {
  const std::string name = request.set.substr(request.set.find('_') + 1);
  const JsonValue json = read_json(request.folder + "/tol_" + name + ".json");
  Tolerances out;
  for (const auto& [tensor, row] : json.at("fp32_vs_fp64_maxabs").members()) {
    out.fp32_error.emplace(tensor, row.items().at(0).as_number());
  }
  for (const JsonValue& tensor : json.at("mathematically_zero_grads").items()) {
    out.zero_gradients.insert(tensor.as_string());
  }
  for (const JsonValue& row : json.at("params_unstable_after_adamw").items()) {
    out.unstable_parameters.insert(row.items().at(0).as_string());
  }
  return out;
}

class StepCheck {
 public:
  StepCheck(const Fixture& fixture, const ParityRequest& request, ParityReport& report)
      : fixture_(fixture), request_(request), report_(report), tolerances_(tolerances_of(request)) {
    const std::string* text = fixture.metadata("config");
    VT_CHECK_IO(text != nullptr, request.set, ".safetensors has no config in its metadata");
    settings_ = settings_of_reference(parse_json(*text), request.precision);
    schedule_ = schedule_of_reference(parse_json(*text));
    begin();
  }

  void run() {
    StepInputs inputs = prepare();
    check_synthesis(inputs);
    if (fixture_.has("vc/y_hat")) check_conversion(inputs);
    StepTrace trace;
    const at::Tensor durations = fixture_["out/dur.w"].squeeze(1);
    auto step = [&] {
      RecordedNoise noise = step_noise();
      trace = {};
      return trainer_->step(inputs, schedule_, noise, &trace, exact_path() ? nullptr : &durations);
    };
    StepLosses losses = step();
    // float16: training leaves out steps until the scale fits, and so does this, from the recorded weights each time.
    while (overflowed(losses) && settings_.initial_loss_scale > 1.0) {
      settings_.initial_loss_scale /= 2.0;
      begin();
      losses = step();
    }
    if (!exact_path()) note_sensitivity(inputs, durations);
    check_generator(trace.generator);
    check_discriminators(trace);
    check_losses(losses);
    check_network(trainer_->generator()->parameters(), "G");
    check_network(trainer_->discriminator_parameters(), "D");
    check_network(trainer_->duration_discriminator_parameters(), "DUR");
  }

 private:
  bool exact_path() const { return report_.limits().path == 0.0; }

  void begin() {
    trainer_.emplace(settings_, request_.device);
    assign(*trainer_, std::nullopt);
  }

  static bool overflowed(const StepLosses& losses) {
    for (const at::Tensor& overflow : {losses.generator_overflow, losses.discriminator_overflow,
                                       losses.duration_discriminator_overflow}) {
      if (overflow.defined() && overflow.item<float>() > 0.0f) return true;
    }
    return false;
  }

  // Weights as recorded, or moved by one unit in the last place of the precision.
  void assign(Trainer& trainer, std::optional<uint64_t> perturbation) {
    const std::pair<ParameterStore*, const char*> networks[] = {{&trainer.generator()->parameters(), "G0/"},
                                                                {&trainer.discriminator_parameters(), "D0/"},
                                                                {&trainer.duration_discriminator_parameters(), "DUR0/"}};
    for (const auto& [store, prefix] : networks) {
      const NamedTensors weights = fixture_.under(prefix);
      store->assign(perturbation ? perturbed(weights, request_.precision, *perturbation) : weights,
                    request_.set + " " + prefix);
    }
  }

  // The gradients that the same step gives in float32 from moved weights.
  void note_sensitivity(const StepInputs& inputs, const at::Tensor& durations) {
    TrainerSettings settings = trainer_->settings();
    settings.precision = Precision::kFp32;
    // Run 0 moves nothing: what the others are measured from.
    for (int64_t run = 0; run <= perturbed_runs(request_.precision); ++run) {
      Trainer moved(settings, request_.device);
      assign(moved, run == 0 ? std::nullopt : std::optional<uint64_t>(run));
      RecordedNoise noise = step_noise();
      moved.step(inputs, schedule_, noise, nullptr, &durations);
      const std::pair<ParameterStore*, const char*> networks[] = {
          {&moved.generator()->parameters(), "gradG/"},
          {&moved.discriminator_parameters(), "gradD/"},
          {&moved.duration_discriminator_parameters(), "gradDUR/"}};
      for (const auto& [store, prefix] : networks) {
        for (const auto& [name, parameter] : store->entries()) {
          if (!parameter.grad().defined()) continue;
          if (run == 0) {
            unmoved_gradients_[prefix + name] = parameter.grad();
          } else {
            perturbed_gradients_[prefix + name].push_back(parameter.grad());
          }
        }
      }
    }
  }

  RecordedNoise step_noise() const {
    return RecordedNoise(fixture_, {{NoiseStream::kPosterior, "noise/enc_q"},
                                    {NoiseStream::kDurationPosterior, "noise/sdp_post"},
                                    {NoiseStream::kDurationReverse, "noise/sdp_rev"},
                                    {NoiseStream::kSegment, "noise/slice_u"}});
  }

  // The recording's own error in float64, where it is known; else the precision's limit.
  bool against_double(const std::string& name, const at::Tensor& actual) {
    const auto found = tolerances_.fp32_error.find(name);
    if (request_.precision != Precision::kFp64 || found == tolerances_.fp32_error.end()) return false;
    report_.absolute(name, actual, fixture_.stored(name), 1.5 * found->second + 1e-8);
    return true;
  }
  void forward(const std::string& name, const at::Tensor& actual) {
    if (!against_double(name, actual)) report_.forward(name, actual, fixture_[name]);
  }
  void gradient(const std::string& name, const at::Tensor& actual) {
    if (!against_double(name, actual)) report_.gradient(name, actual, fixture_[name], perturbed_gradients_[name]);
  }

  StepInputs prepare() {
    const at::Tensor speakers = fixture_.has("in/sid") ? fixture_["in/sid"] : at::Tensor();
    StepInputs inputs = trainer_->prepare(fixture_["in/x"], fixture_["in/x_lengths"], fixture_["in/wav"].squeeze(1),
                                          fixture_["in/wav_lengths"], speakers);
    const at::Tensor frame_mask = fixture_["out/y_mask"];
    report_.exact("in/spec_lengths", inputs.frame_lengths_B, fixture_["in/spec_lengths"]);
    report_.forward("in/spec", inputs.spectrogram, fixture_["in/spec"]);
    report_.forward("out/mel", inputs.mel_BMS * frame_mask, fixture_["out/mel"] * frame_mask);
    inputs.spectrogram = fixture_["in/spec"];
    inputs.mel_BMS = fixture_["out/mel"];
    return inputs;
  }

  void check_synthesis(const StepInputs& inputs) {
    RecordedNoise noise(fixture_,
                        {{NoiseStream::kDurationReverse, "infer/noise.dp"}, {NoiseStream::kPrior, "infer/noise.z"}});
    const at::Tensor scales = fixture_.stored("infer/scales");
    const Voice voice(trainer_->generator(), trainer_->settings().audio);
    const SynthesisTrace trace =
        voice.synthesize(inputs.token_ids_BT, inputs.token_lengths_B, inputs.speaker_ids_B,
                         {scales[0].item<double>(), scales[1].item<double>(), scales[2].item<double>()}, noise);
    report_.exact("infer/w_ceil", trace.durations_B1T, fixture_["infer/w_ceil"]);
    report_.exact("infer/y_lengths", trace.frame_lengths_B, fixture_["infer/y_lengths"]);
    const int64_t frames = fixture_.stored("infer/path").size(1);
    report_.exact("infer/path", expand_durations_BST(trace.durations_B1T.squeeze(1), frames), fixture_["infer/path"]);
    report_.exact("infer/y_mask", length_mask_B1T(trace.frame_lengths_B, frames), fixture_["infer/y_mask"]);
    report_.forward("infer/m_p", trace.mean_p_BCS, fixture_["infer/m_p"]);
    report_.forward("infer/logs_p", trace.log_std_p_BCS, fixture_["infer/logs_p"]);
    report_.forward("infer/z_p", trace.z_p_BCS, fixture_["infer/z_p"]);
    report_.forward("infer/z", trace.z_BCS, fixture_["infer/z"]);
    report_.forward("infer/y_hat", trace.audio_B1N, fixture_["infer/y_hat"]);
  }

  void check_conversion(const StepInputs& inputs) {
    RecordedNoise noise(fixture_, {{NoiseStream::kPosterior, "vc/noise.enc_q"}});
    const Voice voice(trainer_->generator(), trainer_->settings().audio);
    const ConversionTrace trace =
        voice.convert(inputs.samples_B1N.squeeze(1), fixture_.stored("in/wav_lengths"), inputs.speaker_ids_B,
                      fixture_["vc/sid_tgt"], noise);
    report_.forward("vc/z", trace.z_BCS, fixture_["vc/z"]);
    report_.forward("vc/z_p", trace.z_p_BCS, fixture_["vc/z_p"]);
    report_.forward("vc/z_hat", trace.z_target_BCS, fixture_["vc/z_hat"]);
    report_.forward("vc/y_hat", trace.audio_B1N, fixture_["vc/y_hat"]);
  }

  void check_generator(const GeneratorPass& pass) {
    report_.exact("out/x_mask", pass.text.mask_B1T, fixture_["out/x_mask"]);
    report_.exact("out/y_mask", pass.posterior.mask_B1S, fixture_["out/y_mask"]);
    forward("out/enc_p.h", pass.text.hidden_BHT);
    forward("out/enc_p.m", pass.text.mean_BCT);
    forward("out/enc_p.logs", pass.text.log_std_BCT);
    forward("out/enc_q.z", pass.posterior.z_BCS);
    forward("out/enc_q.m", pass.posterior.mean_BCS);
    forward("out/enc_q.logs", pass.posterior.log_std_BCS);
    forward("out/flow.z_p", pass.z_p_BCS);
    forward("out/mas.neg_cent", pass.score_BST);
    const at::Tensor recorded_path = fixture_["out/mas.path"];
    const at::Tensor path = expand_durations_BST(pass.found_durations_BT, recorded_path.size(1));
    // A frame differs if it belongs to another token.
    const at::Tensor valid_BS = recorded_path.sum(2);
    const double frames = valid_BS.sum().item<double>();
    const double wrong = (path.ne(recorded_path).any(2) & valid_BS.gt(0)).sum().item<double>();
    report_.share("out/mas.path", frames > 0 ? wrong / frames : 0.0, report_.limits().path);
    if (exact_path()) report_.exact("out/dur.w", pass.durations_BT.unsqueeze(1), fixture_["out/dur.w"]);
    forward("out/prior.m_p", pass.mean_p_BCS);
    forward("out/prior.logs_p", pass.log_std_p_BCS);
    forward("out/dp.logw", pass.log_durations_B1T);
    forward("out/dp.logw_real", pass.log_durations_target_B1T);
    forward("out/dp.l_length", pass.duration_loss_B);
    report_.exact("out/slice.ids", pass.segment_starts_B, fixture_.stored("out/slice.ids"));
    forward("out/slice.z", pass.z_segment_BCS);
    forward("out/slice.wav", pass.samples_segment_B1N);
    forward("out/slice.mel", pass.mel_segment_BMS);
    forward("out/dec.y_hat", pass.generated_B1N);
    forward("out/mel_hat", pass.generated_mel_BMS);
  }

  void check_discriminators(const StepTrace& trace) {
    for (size_t i = 0; i < trace.real.logits.size(); ++i) {
      const std::string index = std::to_string(i);
      forward("outD/r." + index, trace.real.logits[i]);
      forward("outD/g." + index, trace.generated.logits[i]);
      forward("outD2/r." + index, trace.updated_real.logits[i]);
      forward("outD2/g." + index, trace.updated_generated.logits[i]);
    }
    compare_feature_maps(fixture_, "outD/fmap_r", trace.real.feature_maps, report_);
    compare_feature_maps(fixture_, "outD/fmap_g", trace.generated.feature_maps, report_);
    compare_feature_maps(fixture_, "outD2/fmap_r", trace.updated_real.feature_maps, report_);
    compare_feature_maps(fixture_, "outD2/fmap_g", trace.updated_generated.feature_maps, report_);
    if (!trainer_->duration_discriminator()) return;
    forward("outDUR/r", trace.duration_real_BT1);
    forward("outDUR/g", trace.duration_generated_BT1);
    forward("outDUR2/g", trace.updated_duration_generated_BT1);
    // The generator's losses do not need it, so the step does not compute it; the updated weights are still there.
    at::NoGradGuard no_grad;
    const PrecisionScope scope(request_.device, request_.precision);
    const GeneratorPass& pass = trace.generator;
    forward("outDUR2/r",
            (*trainer_->duration_discriminator())(pass.text.hidden_BHT, pass.text.mask_B1T, pass.log_durations_target_B1T));
  }

  void check_losses(const StepLosses& losses) {
    forward("loss/disc", losses.discriminator.total);
    forward("loss/gen", losses.adversarial.total);
    for (size_t i = 0; i < losses.adversarial.parts.size(); ++i) {
      const std::string index = std::to_string(i);
      forward("loss/disc_r." + index, losses.discriminator.real_parts[i]);
      forward("loss/disc_g." + index, losses.discriminator.generated_parts[i]);
      forward("loss/gen." + index, losses.adversarial.parts[i]);
    }
    forward("loss/fm", losses.feature_matching);
    forward("loss/mel", losses.mel);
    forward("loss/kl", losses.kl);
    forward("loss/dur", losses.duration);
    forward("loss/total", losses.generator_total);
    gradient("norm/G", losses.generator_norm);
    gradient("norm/D", losses.discriminator_norm);
    if (fixture_.has("loss/dur_disc")) {
      forward("loss/dur_disc", losses.duration_discriminator.total);
      forward("loss/dur_gen", losses.duration_adversarial);
      gradient("norm/DUR", losses.duration_discriminator_norm);
    } else {
      report_.fact("loss/dur_gen is none", !losses.duration_adversarial.defined());
    }
  }

  void check_network(const ParameterStore& store, const std::string& suffix) {
    for (const auto& [key, parameter] : store.entries()) {
      const std::string name = "grad" + suffix + "/" + key;
      const std::string norm = "gradnorm" + suffix + "/" + key;
      // The softmax does not see a shift of the keys: these gradients are rounding noise.
      if (tolerances_.zero_gradients.count(name) == 0) {
        if (fixture_.has(name)) gradient(name, parameter.grad());
        if (fixture_.has(norm)) {
          std::vector<at::Tensor> perturbed_norms;
          for (const at::Tensor& other : perturbed_gradients_[name]) {
            // Two norms can be alike by chance; the norm of the difference bounds what they may differ by.
            perturbed_norms.push_back(fixture_[norm] + (other - unmoved_gradients_.at(name)).norm());
          }
          report_.gradient(norm, parameter.grad().defined() ? parameter.grad().norm() : at::Tensor(), fixture_[norm],
                           perturbed_norms);
        }
        if (!fixture_.has(name) && !fixture_.has(norm)) report_.fact(name + " is none", !parameter.grad().defined());
      }
      const std::string updated = suffix + "1/" + key;
      // The largest tensors are left out of some sets for size; the norms of their gradients are compared.
      if (!fixture_.has(updated) || tolerances_.unstable_parameters.count(updated) > 0) continue;
      if (!against_double(updated, parameter)) report_.parameter(updated, parameter, fixture_[updated]);
    }
  }

  const Fixture& fixture_;
  const ParityRequest& request_;
  ParityReport& report_;
  Tolerances tolerances_;
  TrainerSettings settings_;
  StepSchedule schedule_;
  std::optional<Trainer> trainer_;
  std::map<std::string, at::Tensor> unmoved_gradients_;
  std::map<std::string, std::vector<at::Tensor>> perturbed_gradients_;  // empty in full precision
};

}  // namespace

void check_step(const Fixture& fixture, const ParityRequest& request, ParityReport& report) {
  StepCheck(fixture, request, report).run();
}

}  // namespace valetts
