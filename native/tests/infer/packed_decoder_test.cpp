#include "infer/packed_decoder.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include <cmath>

#include "core/check.h"
#include "core/path.h"
#include "core/random.h"
#include "infer/voice.h"
#include "small_run.h"
#include "tensor_checks.h"
#include "train/captured_steps.h"

namespace valetts {
namespace {

ModelSettings small_model(int64_t kind, int64_t speakers) {
  ModelSettings settings;
  settings.speaker_count = speakers;
  settings.speaker_channels = speakers > 1 ? 8 : 0;
  settings.inter_channels = 16;
  settings.hidden_channels = 16;
  settings.filter_channels = 32;
  settings.encoder_layers = 3;
  settings.posterior_layers = 2;
  settings.flow_layers = 2;
  settings.resblock_kind = kind;
  settings.upsample_initial_channels = 32;
  settings.upsample_rates = {4, 2, 3};
  settings.upsample_kernel_sizes = {8, 4, 5};
  settings.resblock_kernel_sizes = {3, 5};
  settings.resblock_dilations = kind == 1 ? std::vector<std::vector<int64_t>>{{1, 3}, {1, 3}}
                                          : std::vector<std::vector<int64_t>>{{1, 2}, {2, 6}};
  return settings;
}

at::Tensor latent(const Generator& generator, int64_t batch, int64_t frames, int64_t seed) {
  std::vector<int64_t> ids;
  for (int64_t b = 0; b < batch; ++b) ids.push_back(b);
  return Draws(seed, 0).normal_BCT(0, ids, generator.settings().inter_channels, frames) * 3;
}

std::shared_ptr<Generator> generator_of(int64_t kind, int64_t speakers) {
  auto generator = std::make_shared<Generator>(small_model(kind, speakers), 7, at::kCPU);
  generator->parameters().set_requires_grad(false);
  // Gains that are not the norms of the directions, so that folding shows.
  at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : generator->parameters().entries()) {
    if (name.compare(0, 4, "dec.") == 0 && name.find("weight_g") != std::string::npos) tensor.mul_(1.5);
  }
  return generator;
}

// Replays as a GPU does: the tensors' versions stay what they were.
class SilentRecorder : public RepeatingRecorder {
 public:
  explicit SilentRecorder(const NamedTensors& watched) : watched_(watched) {}
  std::unique_ptr<Recording> record(const std::function<void()>& work) override {
    struct Silent : Recording {
      std::function<void()> work;
      NamedTensors watched;
      void replay() override {
        std::vector<uint32_t> versions;
        for (const auto& [name, tensor] : watched) versions.push_back(static_cast<uint32_t>(tensor._version()));
        work();
        for (size_t i = 0; i < versions.size(); ++i) {
          watched[i].second.unsafeGetTensorImpl()->set_version_counter(c10::VariableVersion(versions[i]));
        }
      }
    };
    auto recording = std::make_unique<Silent>();
    recording->work = work;
    recording->watched = watched_;
    return recording;
  }

 private:
  NamedTensors watched_;
};

at::Tensor speaker_of(const Generator& generator, int64_t batch) {
  if (generator.settings().speaker_count == 1) return {};
  return generator.speaker_BG1(at::arange(batch, at::kLong).remainder(generator.settings().speaker_count));
}

}  // namespace

TEST_SUITE_BEGIN("infer");

TEST_CASE("the packed decoder equals the decoder, for every kind, length, batch and speaker") {
  for (const int64_t kind : {1, 2}) {
    for (const int64_t speakers : {1, 3}) {
      const std::shared_ptr<Generator> generator = generator_of(kind, speakers);
      REQUIRE(PackedDecoder::serves(*generator));
      PackedDecoder packed;
      at::NoGradGuard no_grad;
      for (const int64_t batch : {1, 4}) {
        for (const int64_t frames : {1, 2, 3, 31, 32, 33, 129}) {
          CAPTURE(kind);
          CAPTURE(speakers);
          CAPTURE(batch);
          CAPTURE(frames);
          const at::Tensor z = latent(*generator, batch, frames, frames);
          const at::Tensor before = z.clone();
          const at::Tensor speaker = speaker_of(*generator, batch);
          const at::Tensor audio = packed(*generator, z, speaker);
          VT_CHECK_CLOSE(audio, generator->decoder(z, speaker), 1e-5);
          VT_CHECK_SAME_BITS(packed(*generator, z, speaker), audio);
          VT_CHECK_SAME_BITS(z, before);
        }
      }
    }
  }
}

// What rounding to 8 bits between the convolutions leaves, against the waveform's own power.
double noise_decibels(const at::Tensor& audio, const at::Tensor& exact) {
  const double noise = (audio - exact).square().mean().item<double>(), power = exact.square().mean().item<double>();
  return 10.0 * std::log10(noise / power);
}

TEST_CASE("in bfloat16 the packed decoder's waveform is the decoder's, with noise 35 dB below it") {
  if (!PackedDecoder::has_bf16()) return;
  for (const int64_t kind : {1, 2}) {
    const std::shared_ptr<Generator> generator = generator_of(kind, 3);
    PackedDecoder packed(Precision::kBf16);
    at::NoGradGuard no_grad;
    for (const int64_t frames : {1, 33, 129}) {
      CAPTURE(kind);
      CAPTURE(frames);
      const at::Tensor z = latent(*generator, 2, frames, frames), speaker = speaker_of(*generator, 2);
      const at::Tensor audio = packed(*generator, z, speaker), exact = generator->decoder(z, speaker);
      CHECK((audio.scalar_type() == at::kFloat));
      CHECK((audio.sizes() == exact.sizes()));
      CHECK_LT(noise_decibels(audio, exact), -35.0);
      VT_CHECK_SAME_BITS(packed(*generator, z, speaker), audio);
    }
    const Voice voice(generator, AudioSettings{}, Precision::kBf16), exact_voice(generator, AudioSettings{});
    const at::Tensor z = latent(*generator, 1, 64, 2), speaker = speaker_of(*generator, 1);
    CHECK_FALSE(at::equal(voice.decode_B1N(z, speaker), exact_voice.decode_B1N(z, speaker)));
    CHECK_LT(noise_decibels(voice.decode_B1N(z, speaker), exact_voice.decode_B1N(z, speaker)), -35.0);
    std::vector<at::Tensor> parts;
    voice.stream(z, speaker, 16, [&](const at::Tensor& audio) { parts.push_back(audio.clone()); });
    CHECK_LT(noise_decibels(at::cat(parts, 2), exact_voice.decode_B1N(z, speaker)), -35.0);
  }
}

TEST_CASE("weights that change are packed anew") {
  const std::shared_ptr<Generator> generator = generator_of(1, 1);
  PackedDecoder packed;
  at::NoGradGuard no_grad;
  const at::Tensor z = latent(*generator, 1, 20, 3);
  const at::Tensor before = packed(*generator, z, {});
  std::vector<at::Tensor> weights, other;
  for (const auto& [name, tensor] : generator->parameters().entries()) {
    weights.push_back(tensor);
    other.push_back(at::ones_like(tensor));
  }
  at::_foreach_lerp_(weights, other, 0.05);
  const at::Tensor after = packed(*generator, z, {});
  VT_CHECK_CLOSE(after, generator->decoder(z, {}), 1e-5);
  CHECK_FALSE(at::equal(after, before));
}

TEST_CASE("a voice decodes with it, and plainly where that is asked for or the weights are not float32") {
  const std::shared_ptr<Generator> generator = generator_of(1, 3);
  const Voice voice(generator, AudioSettings{});
  const at::Tensor z = latent(*generator, 2, 40, 5), speaker = speaker_of(*generator, 2);
  at::NoGradGuard no_grad;
  const at::Tensor plain = generator->decoder(z, speaker);
  VT_CHECK_CLOSE(voice.decode_B1N(z, speaker), plain, 1e-5);
  {
    const PlainPathScope scope(true);
    VT_CHECK_SAME_BITS(voice.decode_B1N(z, speaker), plain);
  }
  CHECK_FALSE(PackedDecoder::serves(Generator(small_model(1, 1), 7, at::kCPU, at::kDouble)));
}

TEST_CASE("a voice's flow takes folded weights, and new ones when they change") {
  const std::shared_ptr<Generator> generator = generator_of(1, 3);
  const Voice voice(generator, AudioSettings{});
  const at::Tensor tokens = at::arange(9, at::kLong).view({1, 9}), lengths = at::full({1}, 9, at::kLong);
  const at::Tensor speaker = at::full({1}, 2, at::kLong);
  const auto latent_of = [&](bool plain) {
    const PlainPathScope scope(plain);
    KeyedNoise noise(1, 0, {0}, at::kCPU);
    return voice.synthesize(tokens, lengths, speaker, SynthesisScales{}, noise).z_BCS;
  };
  const at::Tensor before = latent_of(false);
  VT_CHECK_CLOSE(before, latent_of(true), 1e-5);
  VT_CHECK_SAME_BITS(latent_of(false), before);
  at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : generator->parameters().entries()) {
    if (name.compare(0, 5, "flow.") != 0) continue;
    // The couplings start as the identity: their last convolution is 0.
    name.find(".post.") == std::string::npos ? tensor.mul_(1.25) : tensor.add_(0.05);
  }
  const at::Tensor after = latent_of(false);
  CHECK_FALSE(at::equal(after, before));
  VT_CHECK_CLOSE(after, latent_of(true), 1e-5);
}

TEST_CASE("a voice speaks with the weights of the last training step, ordinary or replayed") {
  for (const bool replayed : {false, true}) {
    CAPTURE(replayed);
    TrainerSettings settings = small_settings();
    settings.model.flow_kind = FlowKind::kPreConv;
    Trainer trainer(settings, at::kCPU);
    std::unique_ptr<Recorder> recorder;
    if (replayed) recorder = std::make_unique<SilentRecorder>(trainer.generator()->parameters().entries());
    CapturedSteps steps(trainer, std::move(recorder), {.rehearsals = 0});
    const Voice voice(trainer.voice_generator(), settings.audio);
    const at::Tensor z = latent(*trainer.generator(), 1, 20, 1), speaker = trainer.generator()->speaker_BG1(at::zeros({1}, at::kLong));
    const Corpus::Piece piece = Corpus().piece(trainer, 0, 3);
    at::Tensor before = voice.decode_B1N(z, speaker.detach());
    for (int64_t step = 0; step < 2; ++step) {
      StepSchedule schedule;
      schedule.step = step;
      for (const StepPhase phase : {StepPhase::kDiscriminators, StepPhase::kGenerator}) {
        if (phase == StepPhase::kGenerator && steps.keeps_batch()) {
          steps.accumulate_kept(schedule);
        } else {
          steps.accumulate(phase, piece.inputs, piece.utterances, schedule);
        }
        steps.apply(phase, schedule);
      }
      const at::Tensor after = voice.decode_B1N(z, speaker.detach());
      CHECK_FALSE(at::equal(after, before));
      VT_CHECK_SAME_BITS(after, Voice(trainer.voice_generator(), settings.audio).decode_B1N(z, speaker.detach()));
      before = after;
    }
  }
}

TEST_CASE("a long signal goes through the last stages in pieces, and equals the decoder on any number of threads") {
  const int threads = at::get_num_threads();
  for (const int64_t kind : {1, 2}) {
    CAPTURE(kind);
    const std::shared_ptr<Generator> generator = generator_of(kind, 1);
    at::NoGradGuard no_grad;
    // 24 samples a frame; pieces begin at 8,192 samples, and the last one is ragged.
    const at::Tensor z = latent(*generator, 2, 387, 6);
    PackedDecoder packed;
    at::set_num_threads(1);
    const at::Tensor one = packed(*generator, z, {});
    at::set_num_threads(3);
    const at::Tensor three = packed(*generator, z, {});
    at::set_num_threads(threads);
    VT_CHECK_SAME_BITS(three, one);
    VT_CHECK_CLOSE(one, generator->decoder(z, {}), 1e-5);
  }
}

TEST_CASE("chunks laid end to end are the whole waveform") {
  for (const int64_t kind : {1, 2}) {
    const std::shared_ptr<Generator> generator = generator_of(kind, 1);
    const Voice voice(generator, AudioSettings{});
    at::NoGradGuard no_grad;
    for (const int64_t frames : {1, 5, 64, 131}) {
      const at::Tensor z = latent(*generator, 2, frames, frames);
      const at::Tensor whole = voice.decode_B1N(z, {});
      for (const int64_t chunk : {1, 7, 32, 64, 200}) {
        CAPTURE(kind);
        CAPTURE(frames);
        CAPTURE(chunk);
        for (const bool plain : {false, true}) {
          const PlainPathScope scope(plain);
          std::vector<at::Tensor> parts;
          voice.stream(z, {}, chunk, [&](const at::Tensor& audio) { parts.push_back(audio.clone()); });
          CHECK(static_cast<int64_t>(parts.size()) == (frames + chunk - 1) / chunk);
          VT_CHECK_CLOSE(at::cat(parts, 2), whole, 2e-6);
        }
      }
    }
    CHECK_THROWS_AS(voice.stream(latent(*generator, 1, 4, 1), {}, 0, [](const at::Tensor&) {}), Error);
  }
}

TEST_CASE("the reach of a frame is no less than what it depends on, and not much more") {
  const std::shared_ptr<Generator> generator = generator_of(1, 1);
  const int64_t reach = decoder_reach_frames(generator->settings());
  const int64_t frames = 4 * reach + 1, centre = 2 * reach;
  at::NoGradGuard no_grad;
  const at::Tensor z = latent(*generator, 1, frames, 1);
  at::Tensor moved = z.clone();
  moved.select(2, centre).add_(10.0);
  const at::Tensor changed_S =
      (generator->decoder(z, {}) - generator->decoder(moved, {})).abs().view({frames, -1}).amax(1).gt(0);
  CHECK_FALSE(changed_S.slice(0, 0, centre - reach).any().item<bool>());
  CHECK_FALSE(changed_S.slice(0, centre + reach + 1).any().item<bool>());
  CHECK(changed_S.slice(0, centre - reach, centre - reach + 4).any().item<bool>());
}

TEST_SUITE_END();

}  // namespace valetts
