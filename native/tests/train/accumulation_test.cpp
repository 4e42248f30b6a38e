// A batch in micro-batches gives the step of the batch in one piece; what goes wrong in a phase costs that phase alone.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "core/check.h"
#include "small_run.h"
#include "tensor_checks.h"

namespace valetts {
namespace {

// One phase over pieces of the given sizes.
void run_phase(Trainer& trainer, StepPhase phase, const std::vector<int64_t>& sizes, int64_t step, bool apply = true) {
  const Corpus corpus;
  const StepSchedule schedule = schedule_of(trainer, step);
  int64_t first = 0;
  for (const int64_t size : sizes) {
    const Corpus::Piece piece = corpus.piece(trainer, first, size);
    KeyedNoise noise(trainer.settings().seed, step, piece.utterances, at::kCPU);
    trainer.accumulate(phase, piece.inputs, schedule, noise);
    first += size;
  }
  if (apply) trainer.apply(phase, schedule);
}

void run_step(Trainer& trainer, const std::vector<int64_t>& discriminators, const std::vector<int64_t>& generator,
              int64_t step = 0) {
  run_phase(trainer, StepPhase::kDiscriminators, discriminators, step);
  run_phase(trainer, StepPhase::kGenerator, generator, step);
}

std::vector<std::pair<std::string, ParameterStore*>> networks(Trainer& trainer) {
  return {{"G/", &trainer.generator()->parameters()},
          {"D/", &trainer.discriminator_parameters()},
          {"DUR/", &trainer.duration_discriminator_parameters()}};
}

NamedTensors weights_of(Trainer& trainer) {
  NamedTensors out;
  for (const auto& [prefix, store] : networks(trainer)) {
    for (const auto& [name, tensor] : store->entries()) out.emplace_back(prefix + name, tensor.detach().clone());
  }
  return out;
}

void check_equal_weights(Trainer& a, Trainer& b) {
  const NamedTensors first = weights_of(a), second = weights_of(b);
  for (size_t i = 0; i < first.size(); ++i) {
    CAPTURE(first[i].first);
    VT_CHECK_SAME_BITS(first[i].second, second[i].second);
  }
}

// Every network has moved and holds numbers alone, but for those named: they are as before.
void check_moved(const NamedTensors& before, const NamedTensors& after, const std::vector<std::string>& still) {
  for (const std::string prefix : {"G/", "D/", "DUR/"}) {
    CAPTURE(prefix);
    const bool expected = std::find(still.begin(), still.end(), prefix) == still.end();
    bool moved = false;
    for (size_t i = 0; i < before.size(); ++i) {
      if (before[i].first.rfind(prefix, 0) != 0) continue;
      moved |= !testing::bit_difference(after[i].second, before[i].second).empty();
      if (expected) CHECK(at::isfinite(after[i].second).all().item<bool>());
    }
    CHECK_EQ(moved, expected);
  }
}

const std::vector<int64_t> kWhole{6};

TEST_SUITE("train") {
  TEST_CASE("micro-batches of ragged utterances give the gradients and losses of the whole batch") {
    for (const Precision precision : {Precision::kFp64, Precision::kFp32}) {
      TrainerSettings settings = small_settings();
      settings.precision = precision;
      Trainer whole(settings, at::kCPU), pieces(settings, at::kCPU);
      run_step(whole, kWhole, kWhole);
      run_step(pieces, precision == Precision::kFp64 ? std::vector<int64_t>{2, 3, 1} : kWhole, {1, 1, 2, 2});
      // The sums run in another order. In float64 that leaves nothing of 1e-5; in float32 it alone costs small gradients,
      // in which large terms cancel, up to 3e-5 of theirs: there the network's largest is the measure.
      const bool exact = precision == Precision::kFp64;
      auto stores = networks(whole), others = networks(pieces);
      for (size_t n = 0; n < stores.size(); ++n) {
        double largest = 0.0;
        for (const auto& [name, parameter] : stores[n].second->entries()) {
          if (parameter.grad().defined()) largest = std::max(largest, parameter.grad().abs().max().item<double>());
        }
        for (size_t i = 0; i < stores[n].second->entries().size(); ++i) {
          const auto& [name, parameter] = stores[n].second->entries()[i];
          CAPTURE(stores[n].first + name);
          const at::Tensor& other = others[n].second->entries()[i].second;
          REQUIRE_EQ(parameter.grad().defined(), other.grad().defined());
          if (!parameter.grad().defined()) continue;
          const double own = parameter.grad().abs().max().item<double>();
          const double limit = exact ? 1e-10 * std::max(own, 1e-6 * largest) : 1e-5 * largest;
          CHECK_LE((parameter.grad() - other.grad()).abs().max().item<double>(), limit);
        }
      }
      const StepLosses &a = whole.losses(), &b = pieces.losses();
      for (const auto& [x, y] : {std::pair(a.generator_total, b.generator_total), std::pair(a.mel, b.mel),
                                 std::pair(a.kl, b.kl), std::pair(a.duration, b.duration),
                                 std::pair(a.duration_adversarial, b.duration_adversarial),
                                 std::pair(a.feature_matching, b.feature_matching),
                                 std::pair(a.adversarial.parts[3], b.adversarial.parts[3]),
                                 std::pair(a.discriminator.total, b.discriminator.total),
                                 std::pair(a.discriminator.real_parts[1], b.discriminator.real_parts[1]),
                                 std::pair(a.duration_discriminator.total, b.duration_discriminator.total),
                                 std::pair(a.generator_norm, b.generator_norm)}) {
        VT_CHECK_CLOSE(x, y, exact ? 1e-10 : 1e-5);
      }
    }
  }

  TEST_CASE("totals that are the batch's own change nothing, bit for bit") {
    Trainer with(small_settings(), at::kCPU), without(small_settings(), at::kCPU);
    run_step(with, kWhole, kWhole);
    const Corpus::Piece piece = Corpus().piece(without, 0, 6);
    KeyedNoise noise(without.settings().seed, 0, piece.utterances, at::kCPU);
    without.step(piece.inputs, {}, noise);
    check_equal_weights(with, without);
  }

  TEST_CASE("phases out of order, of another step or short of utterances are refused") {
    Trainer trainer(small_settings(), at::kCPU);
    CHECK_THROWS_AS(run_phase(trainer, StepPhase::kGenerator, kWhole, 0), Error);
    CHECK_THROWS_AS(trainer.apply(StepPhase::kDiscriminators, schedule_of(trainer, 0)), Error);
    run_phase(trainer, StepPhase::kDiscriminators, {2}, 0, false);
    CHECK_THROWS_AS(trainer.apply(StepPhase::kDiscriminators, schedule_of(trainer, 0)), Error);
    CHECK_THROWS_AS(run_phase(trainer, StepPhase::kDiscriminators, {2}, 1, false), Error);
    CHECK_THROWS_AS(run_phase(trainer, StepPhase::kGenerator, kWhole, 0), Error);
    trainer.discard();
    run_step(trainer, kWhole, kWhole);
    CHECK_THROWS_AS(run_phase(trainer, StepPhase::kGenerator, kWhole, 0), Error);
    Trainer straight(small_settings(), at::kCPU);
    run_step(straight, kWhole, kWhole);
    check_equal_weights(trainer, straight);
  }

  TEST_CASE("a generator phase that is begun anew leaves the discriminators as they stepped") {
    Trainer again(small_settings(), at::kCPU), straight(small_settings(), at::kCPU);
    run_phase(again, StepPhase::kDiscriminators, {3, 3}, 0);
    run_phase(again, StepPhase::kGenerator, {3}, 0, false);
    again.discard();
    run_phase(again, StepPhase::kGenerator, {2, 2, 2}, 0);
    run_step(straight, {3, 3}, {2, 2, 2});
    check_equal_weights(again, straight);
  }

  TEST_CASE("a generator phase that is left out changes the discriminators alone, and the next step goes on") {
    Trainer trainer(small_settings(), at::kCPU), fresh(small_settings(), at::kCPU);
    run_phase(trainer, StepPhase::kDiscriminators, kWhole, 0);
    trainer.discard();
    const NamedTensors before = weights_of(trainer), initial = weights_of(fresh);
    bool discriminator_moved = false;
    for (size_t i = 0; i < before.size(); ++i) {
      if (before[i].first.rfind("G/", 0) == 0) {
        VT_CHECK_SAME_BITS(before[i].second, initial[i].second);
      } else {
        discriminator_moved |= !before[i].second.equal(initial[i].second);
      }
    }
    CHECK(discriminator_moved);
    run_step(trainer, kWhole, kWhole, 1);
    CHECK(std::isfinite(trainer.losses().generator_total.item<float>()));
  }

  TEST_CASE("a gradient that is not a number leaves its network as it was, and only that") {
    for (const std::string broken : {"G/", "D/", "DUR/"}) {
      CAPTURE(broken);
      Trainer trainer(small_settings(), at::kCPU);
      const NamedTensors before = weights_of(trainer);
      for (const StepPhase phase : {StepPhase::kDiscriminators, StepPhase::kGenerator}) {
        run_phase(trainer, phase, kWhole, 0, false);
        for (const auto& [prefix, store] : networks(trainer)) {
          const bool of_phase = (prefix == "G/") == (phase == StepPhase::kGenerator);
          if (prefix == broken && of_phase) store->entries()[2].second.mutable_grad().fill_(NAN);
        }
        trainer.apply(phase, schedule_of(trainer, 0));
      }
      CHECK_EQ(trainer.losses().generator_overflow.item<float>(), broken == "G/" ? 1.0f : 0.0f);
      CHECK_EQ(trainer.losses().discriminator_overflow.item<float>(), broken == "D/" ? 1.0f : 0.0f);
      CHECK_EQ(trainer.losses().duration_discriminator_overflow.item<float>(), broken == "DUR/" ? 1.0f : 0.0f);
      check_moved(before, weights_of(trainer), {broken});
      run_step(trainer, kWhole, kWhole, 1);
      check_moved(before, weights_of(trainer), {});
    }
  }

  TEST_CASE("a weight that is not a number stops every step from spreading it, and is not saved") {
    // Of each network the first weight, the generator's being the text's embedding. Whoever reads what it spoils stays too:
    // the generator is judged by all, the waveform discriminators do not see the text.
    const std::vector<std::pair<std::string, std::vector<std::string>>> cases{
        {"G/", {"G/", "DUR/"}}, {"D/", {"G/", "D/"}}, {"DUR/", {"G/", "DUR/"}}};
    for (const auto& [broken, left_as_they_were] : cases) {
      CAPTURE(broken);
      Trainer trainer(small_settings(), at::kCPU);
      std::string name;
      for (const auto& [prefix, store] : networks(trainer)) {
        if (prefix != broken) continue;
        at::NoGradGuard no_grad;
        name = store->entries()[0].first;
        store->entries()[0].second.view({-1})[0] = NAN;
      }
      const NamedTensors before = weights_of(trainer);
      run_step(trainer, kWhole, kWhole);
      CHECK_EQ(trainer.losses().generator_overflow.item<float>(), 1.0f);
      check_moved(before, weights_of(trainer), left_as_they_were);
      const auto folder = std::filesystem::temp_directory_path() / ("valetts-nan-" + std::to_string(::getpid()));
      std::filesystem::create_directories(folder);
      try {
        trainer.snapshot().write(folder.string());
        FAIL("a weight that is not a number was saved");
      } catch (const Error& error) {
        CHECK_EQ(error.code(), StatusCode::kNonFinite);
        CHECK_NE(std::string(error.what()).find(name), std::string::npos);
      }
      CHECK(std::filesystem::is_empty(folder));
      std::filesystem::remove_all(folder);
    }
  }

  TEST_CASE("the gradient's norm is cut to its limit before the step") {
    Trainer free(small_settings(), at::kCPU), limited(small_settings(), at::kCPU);
    run_step(free, kWhole, kWhole);
    const Corpus::Piece piece = Corpus().piece(limited, 0, 6);
    KeyedNoise noise(limited.settings().seed, 0, piece.utterances, at::kCPU);
    StepSchedule schedule;
    schedule.gradient_limit = 1e-3;
    limited.step(piece.inputs, schedule, noise);
    VT_CHECK_CLOSE(limited.losses().discriminator_norm, free.losses().discriminator_norm, 1e-6);
    std::vector<at::Tensor> gradients;
    for (const auto& [name, parameter] : limited.generator()->parameters().entries()) {
      if (parameter.grad().defined()) gradients.push_back(parameter.grad().norm());
    }
    const double norm = at::stack(gradients).norm().item<double>();
    CHECK_LE(norm, 1e-3 * 1.0001);
    CHECK_GT(norm, 1e-3 * 0.99);
  }

  TEST_CASE("the running mean follows the weights, is saved, loaded and heard") {
    TrainerSettings settings = small_settings();
    settings.average_decay = 0.5;
    Trainer trainer(settings, at::kCPU);
    const at::Tensor initial = trainer.generator()->parameters().entries()[5].second.detach().clone();
    run_step(trainer, kWhole, kWhole, 0);
    const at::Tensor present = trainer.generator()->parameters().entries()[5].second.detach().clone();
    const at::Tensor mean = trainer.voice_generator()->parameters().entries()[5].second;
    // Decay at the first step: min(0.5, 1 / 10).
    VT_CHECK_CLOSE(mean, initial * 0.1 + present * 0.9, 1e-6);
    CHECK_NE(trainer.voice_generator().get(), trainer.generator().get());
    const auto folder = std::filesystem::temp_directory_path() / ("valetts-mean-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    trainer.snapshot().write(folder.string());
    Trainer resumed(settings, at::kCPU);
    resumed.load(folder.string());
    run_step(trainer, kWhole, kWhole, 1);
    run_step(resumed, kWhole, kWhole, 1);
    check_equal_weights(trainer, resumed);
    for (size_t i = 0; i < mean.sizes().size(); ++i) {
      VT_CHECK_SAME_BITS(trainer.voice_generator()->parameters().entries()[i].second,
                         resumed.voice_generator()->parameters().entries()[i].second);
    }
    std::filesystem::remove_all(folder);
  }

  TEST_CASE("a snapshot keeps the state of its moment while training goes on") {
    Trainer trainer(small_settings(), at::kCPU);
    run_step(trainer, kWhole, kWhole, 0);
    const NamedTensors then = weights_of(trainer);
    const TrainerSnapshot snapshot = trainer.snapshot();
    run_step(trainer, kWhole, kWhole, 1);
    const auto folder = std::filesystem::temp_directory_path() / ("valetts-snapshot-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    snapshot.write(folder.string());
    Trainer loaded(small_settings(), at::kCPU);
    loaded.load(folder.string());
    const NamedTensors read = weights_of(loaded);
    for (size_t i = 0; i < then.size(); ++i) VT_CHECK_SAME_BITS(read[i].second, then[i].second);
    run_step(loaded, kWhole, kWhole, 1);
    check_equal_weights(trainer, loaded);
    std::filesystem::remove_all(folder);
  }

  // The address sanitizer's own memory is part of the address space.
#if !defined(__SANITIZE_ADDRESS__)
  // Run in a process of its own by the test below. The address space is cut: the allocation that fails is real.
  TEST_CASE("runs out of memory in the generator's phase" * doctest::skip()) {
    Trainer trainer(small_settings(), at::kCPU), straight(small_settings(), at::kCPU);
    run_step(straight, kWhole, {2, 2, 2});
    run_phase(trainer, StepPhase::kDiscriminators, kWhole, 0);
    trainer.discard();
    // Two hundred times the batch.
    StepInputs huge = Corpus().piece(trainer, 0, 6).inputs;
    for (at::Tensor* tensor : {&huge.token_ids_BT, &huge.token_lengths_B, &huge.spectrogram, &huge.mel_BMS,
                               &huge.frame_lengths_B, &huge.samples_B1N, &huge.speaker_ids_B}) {
      std::vector<int64_t> times(static_cast<size_t>(tensor->dim()), 1);
      times[0] = 200;
      *tensor = tensor->repeat(times);
    }
    KeyedNoise noise(trainer.settings().seed, 0, std::vector<int64_t>(1200, 1), at::kCPU);
    StepSchedule schedule = schedule_of(trainer, 0);
    schedule.totals.items = 2400;
    std::ifstream statm("/proc/self/statm");
    rlim_t pages = 0;
    statm >> pages;
    rlimit whole{};
    ::getrlimit(RLIMIT_AS, &whole);
    rlimit cut = whole;
    cut.rlim_cur = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + (rlim_t{64} << 20);
    ::setrlimit(RLIMIT_AS, &cut);
    CHECK_THROWS(trainer.accumulate(StepPhase::kGenerator, huge, schedule, noise));
    ::setrlimit(RLIMIT_AS, &whole);
    trainer.discard();
    run_phase(trainer, StepPhase::kGenerator, {2, 2, 2}, 0);
    check_equal_weights(trainer, straight);
  }

  TEST_CASE("when memory runs out in a phase, that phase can be begun again in smaller pieces") {
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    const std::string command =
        "'" + self + "' --no-skip --test-case=\"runs out of memory in the generator's phase\" >/dev/null 2>&1";
    const int status = std::system(command.c_str());
    REQUIRE(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
  }
#endif
}

}  // namespace
}  // namespace valetts
