// The decoder with BigVGAN's activations: names, gradients, synthesis, and a few steps of training.
#include "model/decoder.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/csrc/autograd/autograd.h>

#include <map>

#include "core/path.h"
#include "core/random.h"
#include "infer/voice.h"
#include "small_run.h"
#include "snake/snake.h"
#include "tensor_checks.h"

namespace valetts {
namespace {

ModelSettings small_model(DecoderKind decoder, int64_t block_kind) {
  ModelSettings settings = small_settings().model;
  settings.decoder_kind = decoder;
  settings.resblock_kind = block_kind;
  return settings;
}

at::Tensor latent(int64_t batch, int64_t channels, int64_t frames) {
  std::vector<int64_t> ids;
  for (int64_t b = 0; b < batch; ++b) ids.push_back(b);
  return Draws(3, 0).normal_BCT(0, ids, channels, frames);
}

std::map<std::string, at::Tensor> by_name(const ParameterStore& store) {
  return {store.entries().begin(), store.entries().end()};
}

// The decoder's parameters with values that are not their initial ones.
void move(ParameterStore& store) {
  at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : store.entries()) {
    const at::Tensor order = at::arange(tensor.numel(), tensor.options().requires_grad(false)).view(tensor.sizes());
    if (name.find(".act.") != std::string::npos) tensor.copy_(at::sin(order * 0.7) * 0.5);
  }
}

std::vector<StepLosses> steps_of(const TrainerSettings& settings, int64_t count, bool plain) {
  const PlainPathScope scope(plain);
  Trainer trainer(settings, at::kCPU);
  const Corpus::Piece piece = Corpus().piece(trainer, 0, 6);
  std::vector<StepLosses> out;
  for (int64_t step = 0; step < count; ++step) {
    StepSchedule schedule;
    schedule.step = step;
    KeyedNoise noise(settings.seed, step, piece.utterances, at::kCPU);
    out.push_back(trainer.step(piece.inputs, schedule, noise));
  }
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("model/decoder");

TEST_CASE("a periodic decoder has the rectified one's convolutions, and a pair of parameters before each but the first ones") {
  for (const int64_t kind : {1, 2}) {
    CAPTURE(kind);
    ParameterStore rectified(1, at::kCPU), periodic(1, at::kCPU);
    const ModelSettings settings = small_model(DecoderKind::kBigVgan, kind);
    const Decoder first(rectified, "dec", small_model(DecoderKind::kHifiGan, kind)), second(periodic, "dec", settings);
    auto more = by_name(periodic);
    for (const auto& [name, tensor] : rectified.entries()) {
      CAPTURE(name);
      REQUIRE(more.count(name) == 1);
      VT_CHECK_SAME_BITS(more.at(name), tensor);
      more.erase(name);
    }
    const size_t blocks = settings.upsample_rates.size() * settings.resblock_kernel_sizes.size();
    CHECK(more.size() == 2 * (blocks * 2 * (kind == 1 ? 2 : 1) + 1));
    CHECK(more.count("dec.resblocks.0.activations.1.act.alpha") == 1);
    CHECK(more.at("dec.activation_post.act.beta").sizes() == at::IntArrayRef{2});
  }
}

TEST_CASE("gradients of a periodic decoder agree with differences in float64, in float32 with those of float64") {
  const ModelSettings settings = small_model(DecoderKind::kBigVgan, 1);
  ParameterStore wide(1, at::kCPU, at::kDouble), narrow(1, at::kCPU);
  const Decoder of_wide(wide, "dec", settings), of_narrow(narrow, "dec", settings);
  move(wide);
  move(narrow);
  const at::Tensor z = latent(2, 16, 3).to(at::kDouble), speaker = latent(2, 8, 1).to(at::kDouble);
  const auto loss_of = [&](const Decoder& decoder, at::ScalarType type) {
    const at::Tensor audio = decoder(z.to(type), speaker.to(type));
    return (audio * at::cos(at::arange(audio.numel(), audio.options().requires_grad(false))).view(audio.sizes())).sum();
  };
  const auto gradients_of = [](const at::Tensor& loss, const ParameterStore& store) {
    std::vector<at::Tensor> leaves;
    for (const auto& [name, tensor] : store.entries()) leaves.push_back(tensor);
    return torch::autograd::grad({loss}, leaves);
  };
  const auto exact = gradients_of(loss_of(of_wide, at::kDouble), wide);
  const auto single = gradients_of(loss_of(of_narrow, at::kFloat), narrow);
  double largest = 0.0;
  for (const at::Tensor& gradient : exact) largest = std::max(largest, gradient.abs().max().item<double>());
  for (size_t i = 0; i < exact.size(); ++i) {
    const std::string& name = wide.entries()[i].first;
    CAPTURE(name);
    CHECK_EQ(testing::relative_difference(single[i].to(at::kDouble), exact[i], 2e-5, largest), std::string());
    if (name.find(".act.") == std::string::npos) continue;
    at::NoGradGuard no_grad;
    auto* values = wide.entries()[i].second.data_ptr<double>();
    const double before = values[0];
    values[0] = before + 1e-6;
    const double above = loss_of(of_wide, at::kDouble).item<double>();
    values[0] = before - 1e-6;
    const double below = loss_of(of_wide, at::kDouble).item<double>();
    values[0] = before;
    CHECK(std::abs((above - below) / 2e-6 - exact[i][0].item<double>()) < 1e-6 * std::max(1.0, largest));
  }
}

TEST_CASE("a periodic voice speaks, its chunks are the whole, and the plain path says the same") {
  const auto generator = std::make_shared<Generator>(small_model(DecoderKind::kBigVgan, 1), 7, at::kCPU);
  generator->parameters().set_requires_grad(false);
  move(generator->parameters());
  const Voice voice(generator, small_settings().audio);
  CHECK_FALSE(PackedDecoder::serves(*generator));
  const at::Tensor z = latent(1, 16, 90), speaker = latent(1, 8, 1);
  at::NoGradGuard no_grad;
  const at::Tensor whole = voice.decode_B1N(z, speaker);
  CHECK(whole.sizes() == at::IntArrayRef{1, 1, 90 * 64});
  CHECK(whole.abs().max().item<float>() < 1.0f);
  std::vector<at::Tensor> chunks;
  voice.stream(z, speaker, 17, [&](const at::Tensor& audio) { chunks.push_back(audio.clone()); });
  VT_CHECK_CLOSE(at::cat(chunks, 2), whole, 2e-6);
  const PlainPathScope scope(true);
  VT_CHECK_CLOSE(voice.decode_B1N(z, speaker), whole, 1e-5);
}

TEST_CASE("training with a periodic decoder lowers the mel loss, the same twice, and near the plain path") {
  TrainerSettings settings = small_settings();
  settings.model.decoder_kind = DecoderKind::kBigVgan;
  constexpr int64_t kSteps = 4;
  const auto once = steps_of(settings, kSteps, false), again = steps_of(settings, kSteps, false),
             plain = steps_of(settings, kSteps, true);
  for (int64_t step = 0; step < kSteps; ++step) {
    CAPTURE(step);
    const size_t at = static_cast<size_t>(step);
    VT_CHECK_SAME_BITS(once[at].generator_total, again[at].generator_total);
    VT_CHECK_SAME_BITS(once[at].discriminator.total, again[at].discriminator.total);
    VT_CHECK_CLOSE(once[at].generator_total, plain[at].generator_total, 1e-3);
    CHECK(std::isfinite(once[at].generator_norm.item<double>()));
  }
  CHECK(once.back().mel.item<double>() < once.front().mel.item<double>());
}

TEST_CASE("half precision trains a periodic decoder") {
  TrainerSettings settings = small_settings();
  settings.model.decoder_kind = DecoderKind::kBigVgan;
  settings.precision = Precision::kBf16;
  const StepLosses losses = steps_of(settings, 1, false).front();
  settings.precision = Precision::kFp32;
  VT_CHECK_CLOSE(losses.mel, steps_of(settings, 1, false).front().mel, 2e-2);
}

TEST_SUITE_END();

}  // namespace valetts
