// The C border: statuses, messages, and a small session from creation to synthesis.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "operators.h"
#include "valetts/valetts.h"

namespace {

namespace fs = std::filesystem;
using valetts::testing::operators_of;

vt_session_config tiny_config() {
  vt_session_config config;
  REQUIRE_EQ(vt_session_config_init(&config), VT_OK);
  config.audio = {16000, 256, 64, 256, 20, 0.0f, 0.0f};
  vt_model_config& model = config.model;
  model.vocabulary_size = 12;
  model.inter_channels = 16;
  model.hidden_channels = 16;
  model.filter_channels = 32;
  model.encoder_layers = 3;
  model.posterior_layers = 2;
  model.flow_layers = 2;
  model.resblock_kind = 2;
  model.resblock_kernel_count = 2;
  model.resblock_dilation_count = 2;
  const int32_t kernels[] = {3, 5};
  for (int k = 0; k < 2; ++k) {
    model.resblock_kernel_sizes[k] = kernels[k];
    for (int d = 0; d < 2; ++d) model.resblock_dilations[k * VT_MAX_DILATIONS + d] = 1 + d;
  }
  model.upsample_count = 3;
  const int32_t rates[] = {4, 4, 4};
  for (int i = 0; i < 3; ++i) {
    model.upsample_rates[i] = rates[i];
    model.upsample_kernel_sizes[i] = 8;
  }
  model.upsample_initial_channels = 32;
  model.discriminator_width_divisor = 32;
  config.segment_samples = 1024;
  config.seed = 3;
  config.device = "cpu";
  return config;
}

// Three ragged items of a sweeping tone.
struct TinyBatch {
  std::vector<int32_t> tokens, token_lengths{7, 5, 3}, sample_lengths{4000, 2500, 700}, speakers{0, 0, 0};
  std::vector<int64_t> ids{11, 22, 33};
  std::vector<float> samples;
  vt_batch batch{};

  TinyBatch() : tokens(3 * 7), samples(3 * 4096) {
    for (int b = 0; b < 3; ++b) {
      for (int t = 0; t < token_lengths[b]; ++t) tokens[b * 7 + t] = 1 + (b + t) % 11;
      for (int n = 0; n < sample_lengths[b]; ++n) {
        samples[b * 4096 + n] = 0.3f * std::sin(0.02f * static_cast<float>(n) * (1.0f + 0.0001f * static_cast<float>(n)));
      }
    }
    batch = {3, 7, 4096, tokens.data(), token_lengths.data(), samples.data(), sample_lengths.data(), speakers.data(),
             ids.data()};
  }
};

const vt_step_params kFirstStep{0, 2e-4, 2e-4, 2e-4, 45.0, 1.0, 0.0, 0.0, 0, 0, 0};

vt_status accumulate_both(vt_session* session, const vt_batch& batch, const vt_step_params& params,
                          vt_step_metrics* metrics) {
  for (const int32_t phase : {VT_PHASE_DISCRIMINATORS, VT_PHASE_GENERATOR}) {
    vt_status status = vt_session_accumulate(session, phase, &batch, &params);
    if (status == VT_OK) status = vt_session_apply(session, phase, &params, metrics);
    if (status != VT_OK) return status;
  }
  return VT_OK;
}

vt_status save(vt_session* session, const char* folder) {
  vt_snapshot* snapshot = nullptr;
  vt_status status = vt_session_snapshot(session, &snapshot);
  if (status == VT_OK) status = vt_snapshot_write(snapshot, folder);
  vt_snapshot_destroy(snapshot);
  return status;
}

struct Session {
  explicit Session(const vt_session_config& config) { REQUIRE_EQ(vt_session_create(&config, &handle), VT_OK); }
  ~Session() { vt_session_destroy(handle); }
  vt_step_metrics step(const vt_batch& batch, int64_t number) {
    vt_step_metrics metrics;
    vt_step_params params = kFirstStep;
    params.step = number;
    const vt_status status = accumulate_both(handle, batch, params, &metrics);
    REQUIRE_MESSAGE(status == VT_OK, vt_last_error());
    return metrics;
  }
  vt_session* handle = nullptr;
};

fs::path fresh_folder(const std::string& name) {
  const fs::path folder = fs::temp_directory_path() / ("valetts-" + name + "-" + std::to_string(::getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

bool same(const vt_step_metrics& a, const vt_step_metrics& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

constexpr int64_t kUnreadSteps = 6;

// Many steps of networks this small: a second thread costs more than it gives.
vt_session_config one_thread_config() {
  vt_session_config config = tiny_config();
  config.threads = 1;
  return config;
}

// Of changing shape: three utterances, two of them, and three in two pieces.
vt_step_metrics unlike_step(vt_session* session, int64_t number, bool read) {
  TinyBatch data;
  vt_step_params params = kFirstStep;
  params.step = number;
  params.mel_weight -= static_cast<double>(number);
  vt_step_metrics metrics{};
  vt_step_metrics* out = read ? &metrics : nullptr;
  const bool in_pieces = number % 3 == 2;
  TinyBatch rest;
  rest.batch.batch_size = 1;
  rest.batch.token_ids_BT += 2 * rest.batch.max_tokens;
  rest.batch.token_lengths_B += 2;
  rest.batch.samples_BN += 2 * rest.batch.max_samples;
  rest.batch.sample_lengths_B += 2;
  rest.batch.utterance_ids_B += 2;
  if (number % 3 > 0) data.batch.batch_size = 2;
  if (in_pieces) {
    params.batch_items = 3;
    params.batch_frames = 4000 / 64 + 2500 / 64 + 700 / 64;
    params.batch_tokens = 7 + 5 + 3;
  }
  for (const int32_t phase : {VT_PHASE_DISCRIMINATORS, VT_PHASE_GENERATOR}) {
    REQUIRE_MESSAGE(vt_session_accumulate(session, phase, &data.batch, &params) == VT_OK, vt_last_error());
    if (in_pieces) {
      REQUIRE_MESSAGE(vt_session_accumulate(session, phase, &rest.batch, &params) == VT_OK, vt_last_error());
    }
    vt_step_metrics* told = phase == VT_PHASE_GENERATOR ? out : nullptr;
    REQUIRE_MESSAGE(vt_session_apply(session, phase, &params, told) == VT_OK, vt_last_error());
  }
  return metrics;
}

std::vector<vt_step_metrics> read(vt_session* session, int64_t capacity) {
  std::vector<vt_step_metrics> metrics(static_cast<size_t>(capacity));
  int64_t count = -1;
  REQUIRE_EQ(vt_session_read_metrics(session, capacity, metrics.data(), &count), VT_OK);
  metrics.resize(static_cast<size_t>(count));
  return metrics;
}

void refuses(void (*change)(vt_session_config&), const std::string& named) {
  CAPTURE(named);
  vt_session_config config = tiny_config();
  change(config);
  vt_session* session = nullptr;
  CHECK_EQ(vt_session_create(&config, &session), VT_INVALID_ARGUMENT);
  CHECK_EQ(session, nullptr);
  CHECK_NE(std::string(vt_last_error()).find(named), std::string::npos);
}

}  // namespace

TEST_SUITE("api") {
  TEST_CASE("a config that cannot work is refused by the name of its field") {
    refuses([](vt_session_config& c) { c.model.vocabulary_size = 0; }, "model.vocabulary_size");
    refuses([](vt_session_config& c) { c.model.upsample_kernel_sizes[0] = 7; }, "model.upsample_kernel_sizes");
    refuses([](vt_session_config& c) { c.audio.hop_length = 32; }, "audio.hop_length");
    refuses([](vt_session_config& c) { c.model.attention_heads = 3; }, "model.attention_heads");
    refuses([](vt_session_config& c) { c.segment_samples = 1000; }, "segment_samples");
    refuses([](vt_session_config& c) { c.model.speaker_conditioned_encoder = 1; }, "speaker_conditioned_encoder");
    refuses([](vt_session_config& c) { c.optimizer.beta1 = 1.0; }, "optimizer.beta1");
    refuses([](vt_session_config& c) { c.device = "gpu"; }, "device is 'gpu'");
    refuses([](vt_session_config& c) { c.device = "cuda:999"; }, "GPU");
  }

  TEST_CASE("null handles, structs and outputs are refused, and destroying null is fine") {
    vt_session* session = nullptr;
    CHECK_EQ(vt_session_create(nullptr, &session), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_session_accumulate(nullptr, 0, nullptr, nullptr), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_session_apply(nullptr, 0, nullptr, nullptr), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_session_read_metrics(nullptr, 1, nullptr, nullptr), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_session_discard(nullptr), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_session_snapshot(nullptr, nullptr), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_snapshot_write(nullptr, "/"), VT_INVALID_ARGUMENT);
    vt_snapshot_destroy(nullptr);
    vt_buffer_destroy(nullptr);
    CHECK_EQ(vt_session_profile(nullptr, nullptr, nullptr, nullptr), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_profile_row_count(nullptr), 0);
    CHECK_EQ(vt_profile_row_at(nullptr, 0, nullptr), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_profile_write_trace(nullptr, nullptr), VT_INVALID_ARGUMENT);
    vt_profile_destroy(nullptr);
    CHECK_EQ(vt_voice_open(nullptr, nullptr, nullptr), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_audio_sample_count(nullptr), 0);
    vt_session_destroy(nullptr);
    vt_voice_destroy(nullptr);
    vt_audio_destroy(nullptr);
  }

  TEST_CASE("a batch out of range is refused by field and item, and the session goes on") {
    Session session(tiny_config());
    TinyBatch data;
    vt_step_metrics metrics;
    auto refused = [&](const std::string& named) {
      CHECK_EQ(accumulate_both(session.handle, data.batch, kFirstStep, &metrics), VT_INVALID_ARGUMENT);
      CHECK_NE(std::string(vt_last_error()).find(named), std::string::npos);
    };
    data.tokens[8] = 12;
    refused("token_ids_BT[1,1]");
    data.tokens[8] = 1;
    data.sample_lengths[2] = 3 * 64 - 1;
    refused("item 2 has 3 symbols");
    data.sample_lengths[2] = 5000;
    refused("sample_lengths_B[2]");
    data.sample_lengths[2] = 700;
    data.samples[4096 + 5] = NAN;
    CHECK_EQ(accumulate_both(session.handle, data.batch, kFirstStep, &metrics), VT_NON_FINITE);
    CHECK_NE(std::string(vt_last_error()).find("item 1"), std::string::npos);
    data.samples[4096 + 5] = 0.0f;
    session.step(data.batch, 0);
  }

  TEST_CASE("same seed and batches give the same losses, another seed does not") {
    TinyBatch data;
    Session a(tiny_config()), b(tiny_config());
    vt_session_config other = tiny_config();
    other.seed = 4;
    Session c(other);
    for (int64_t step = 0; step < 3; ++step) {
      const vt_step_metrics first = a.step(data.batch, step);
      CHECK(same(first, b.step(data.batch, step)));
      CHECK_FALSE(same(first, c.step(data.batch, step)));
      CHECK(std::isfinite(first.loss_generator_total));
      CHECK_GT(first.gradient_norm_generator, 0.0f);
      CHECK_GT(first.gradient_norm_discriminator, 0.0f);
      CHECK_GT(first.gradient_norm_duration_discriminator, 0.0f);
    }
  }

  TEST_CASE("a profiled step is a step like any other, and its rows name every part of the model") {
    TinyBatch data;
    Session plain(tiny_config()), profiled(tiny_config());
    plain.step(data.batch, 0);
    vt_profile* profile = nullptr;
    vt_step_params params = kFirstStep;
    REQUIRE_EQ(vt_session_profile(profiled.handle, &data.batch, &params, &profile), VT_OK);
    CHECK(same(plain.step(data.batch, 1), profiled.step(data.batch, 1)));

    std::map<std::string, std::array<vt_profile_row, 2>> rows;
    for (int64_t i = 0; i < vt_profile_row_count(profile); ++i) {
      vt_profile_row row;
      REQUIRE_EQ(vt_profile_row_at(profile, i, &row), VT_OK);
      rows[row.module][row.backward] = row;
    }
    for (const char* learnt : {"text encoder", "posterior encoder", "flow", "duration predictor", "decoder",
                               "discriminator, scale", "discriminator, period 2", "discriminator, period 11",
                               "discriminator, durations", "spectrograms", "losses"}) {
      CAPTURE(learnt);
      REQUIRE_EQ(rows.count(learnt), 1);
      for (const vt_profile_row& row : rows[learnt]) {
        CHECK_GT(row.calls, 0);
        CHECK_GT(row.operators, 0);
        CHECK_GT(row.bytes, 0);
        CHECK_GT(row.seconds, 0.0);
      }
    }
    for (const char* forward_only : {"alignment search", "optimizers", "data"}) {
      CAPTURE(forward_only);
      REQUIRE_EQ(rows.count(forward_only), 1);
      CHECK_GT(rows[forward_only][0].operators, 0);
      CHECK_EQ(rows[forward_only][1].operators, 0);
    }

    const int64_t decoder_calls = rows["decoder"][0].calls;
    params.step = 2;
    REQUIRE_EQ(vt_session_profile(profiled.handle, &data.batch, &params, &profile), VT_OK);
    for (int64_t i = 0; i < vt_profile_row_count(profile); ++i) {
      vt_profile_row row;
      REQUIRE_EQ(vt_profile_row_at(profile, i, &row), VT_OK);
      if (std::string(row.module) == "decoder" && row.backward == 0) CHECK_EQ(row.calls, 2 * decoder_calls);
    }
    vt_profile_row row;
    CHECK_EQ(vt_profile_row_at(profile, vt_profile_row_count(profile), &row), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_profile_row_at(profile, -1, &row), VT_INVALID_ARGUMENT);
    const fs::path folder = fresh_folder("profile");
    CHECK_EQ(vt_profile_write_trace(profile, (folder / "trace.json").c_str()), VT_OK);
    CHECK_GT(fs::file_size(folder / "trace.json"), 1000);
    CHECK_EQ(vt_profile_write_trace(profile, (folder / "none" / "trace.json").c_str()), VT_IO);
    vt_profile_destroy(profile);
    fs::remove_all(folder);
  }

  TEST_CASE("a batch that cannot be profiled begins no profile and leaves the session usable") {
    TinyBatch data;
    Session session(tiny_config());
    vt_profile* profile = nullptr;
    const int32_t length = data.token_lengths[1];
    data.token_lengths[1] = 0;
    CHECK_EQ(vt_session_profile(session.handle, &data.batch, &kFirstStep, &profile), VT_INVALID_ARGUMENT);
    CHECK_EQ(profile, nullptr);
    data.token_lengths[1] = length;
    CHECK_EQ(vt_session_profile(session.handle, &data.batch, &kFirstStep, &profile), VT_OK);
    CHECK_GT(vt_profile_row_count(profile), 0);
    vt_profile_destroy(profile);
  }

  TEST_CASE("saving and loading continues bit for bit") {
    const fs::path folder = fresh_folder("resume");
    TinyBatch data;
    Session straight(tiny_config());
    for (int64_t step = 0; step < 2; ++step) straight.step(data.batch, step);
    REQUIRE_EQ(save(straight.handle, folder.c_str()), VT_OK);
    Session resumed(tiny_config());
    REQUIRE_MESSAGE(vt_session_load(resumed.handle, folder.c_str(), VT_LOAD_STATE) == VT_OK, vt_last_error());
    for (int64_t step = 2; step < 4; ++step) {
      CHECK(same(straight.step(data.batch, step), resumed.step(data.batch, step)));
    }
    fs::remove_all(folder);
  }

  TEST_CASE("a state cut in half is refused by its file's name and changes nothing") {
    const fs::path folder = fresh_folder("half");
    TinyBatch data;
    Session session(tiny_config()), untouched(tiny_config());
    REQUIRE_EQ(save(session.handle, folder.c_str()), VT_OK);
    const fs::path victim = folder / "optimizer_discriminator.safetensors";
    session.step(data.batch, 0);
    untouched.step(data.batch, 0);
    REQUIRE_EQ(save(session.handle, folder.c_str()), VT_OK);
    fs::resize_file(victim, fs::file_size(victim) / 2);
    Session other(tiny_config());
    CHECK_EQ(vt_session_load(session.handle, folder.c_str(), VT_LOAD_STATE), VT_IO);
    CHECK_NE(std::string(vt_last_error()).find("optimizer_discriminator.safetensors"), std::string::npos);
    CHECK(same(session.step(data.batch, 1), untouched.step(data.batch, 1)));
    fs::remove_all(folder);
  }

  TEST_CASE("a state of another model is refused") {
    const fs::path folder = fresh_folder("other-model");
    Session session(tiny_config());
    REQUIRE_EQ(save(session.handle, folder.c_str()), VT_OK);
    vt_session_config wider = tiny_config();
    wider.model.filter_channels = 48;
    Session other(wider);
    CHECK_EQ(vt_session_load(other.handle, folder.c_str(), VT_LOAD_STATE), VT_IO);
    CHECK_NE(std::string(vt_last_error()).find("shape"), std::string::npos);
    fs::remove_all(folder);
  }

  TEST_CASE("saving where there is no folder fails with the file's name") {
    Session session(tiny_config());
    CHECK_EQ(save(session.handle, "/nowhere/at/all"), VT_IO);
    CHECK_NE(std::string(vt_last_error()).find("/nowhere/at/all"), std::string::npos);
  }

  TEST_CASE("losses do not depend on how far a batch is padded, apart from the duration discriminator's padding") {
    vt_session_config config = tiny_config();
    config.model.duration_discriminator = VT_DURATION_DISCRIMINATOR_NONE;
    config.model.noise_scaled_alignment = 0;
    TinyBatch data;
    Session narrow(config), wide(config);
    std::vector<int32_t> tokens(3 * 16);
    std::vector<float> samples(3 * 6400);
    for (int b = 0; b < 3; ++b) {
      std::copy_n(&data.tokens[b * 7], 7, &tokens[b * 16]);
      std::copy_n(&data.samples[b * 4096], 4096, &samples[b * 6400]);
    }
    vt_batch padded = data.batch;
    padded.max_tokens = 16;
    padded.max_samples = 6400;
    padded.token_ids_BT = tokens.data();
    padded.samples_BN = samples.data();
    const vt_step_metrics a = narrow.step(data.batch, 0), b = wide.step(padded, 0);
    CHECK(std::abs(a.loss_kl - b.loss_kl) <= 1e-5f * std::abs(a.loss_kl));
    CHECK(std::abs(a.loss_mel - b.loss_mel) <= 1e-5f * std::abs(a.loss_mel));
    CHECK(std::abs(a.loss_duration - b.loss_duration) <= 1e-5f * std::abs(a.loss_duration));
    CHECK(std::abs(a.loss_discriminator - b.loss_discriminator) <= 1e-5f * std::abs(a.loss_discriminator));
    CHECK(std::abs(a.gradient_norm_generator - b.gradient_norm_generator) <= 1e-4f * a.gradient_norm_generator);
  }

  TEST_CASE("a clip shorter than the training segment is learnt from, not refused") {
    vt_session_config config = tiny_config();
    Session session(config);
    TinyBatch data;
    data.batch.batch_size = 1;
    data.batch.max_samples = 512;
    data.sample_lengths[0] = 512;
    const vt_step_metrics metrics = session.step(data.batch, 0);
    CHECK(std::isfinite(metrics.loss_mel));
    CHECK_GT(metrics.loss_mel, 0.0f);
  }

  TEST_CASE("inspection shows a monotone alignment that covers every token") {
    Session session(tiny_config());
    TinyBatch data;
    for (int64_t step = 0; step < 5; ++step) session.step(data.batch, step);
    const int frames = 4000 / 64;
    std::vector<float> recorded(20 * frames), decoded(20 * frames), audio(frames * 64);
    std::vector<uint8_t> alignment(7 * frames);
    vt_inspection inspection{recorded.data(), decoded.data(),   static_cast<int64_t>(recorded.size()),
                             alignment.data(), static_cast<int64_t>(alignment.size()),
                             audio.data(),     static_cast<int64_t>(audio.size()), 0, 0, 0};
    REQUIRE_MESSAGE(vt_session_inspect(session.handle, &data.batch, &inspection) == VT_OK, vt_last_error());
    CHECK_EQ(inspection.frames, frames);
    CHECK_EQ(inspection.tokens, 7);
    CHECK_EQ(inspection.samples, frames * 64);
    int previous = 0;
    for (int s = 0; s < frames; ++s) {
      int token = -1;
      for (int t = 0; t < 7; ++t) {
        if (alignment[t * frames + s] != 0) {
          CHECK_EQ(token, -1);
          token = t;
        }
      }
      CHECK(token >= previous);
      CHECK(token <= previous + 1);
      previous = token;
    }
    CHECK_EQ(previous, 6);
    inspection.mel_capacity = 5;
    CHECK_EQ(vt_session_inspect(session.handle, &data.batch, &inspection), VT_INVALID_ARGUMENT);
  }

  TEST_CASE("a voice from a session and the same voice from its file say the same") {
    const fs::path folder = fresh_folder("voice");
    const vt_session_config config = tiny_config();
    Session session(config);
    TinyBatch data;
    session.step(data.batch, 0);
    REQUIRE_EQ(save(session.handle, folder.c_str()), VT_OK);
    const int32_t tokens[] = {1, 2, 3, 4};
    const vt_utterance utterance{tokens, 4, 0, 0.667f, 0.8f, 1.0f, 99};
    auto speak = [&](vt_voice* voice, const vt_utterance& what) {
      vt_audio* audio = nullptr;
      REQUIRE_MESSAGE(vt_voice_synthesize(voice, &what, &audio) == VT_OK, vt_last_error());
      std::vector<float> samples(static_cast<size_t>(vt_audio_sample_count(audio)));
      CHECK_EQ(vt_audio_copy(audio, samples.data(), 1), VT_INVALID_ARGUMENT);
      CHECK_EQ(vt_audio_copy(audio, samples.data(), static_cast<int64_t>(samples.size())), VT_OK);
      vt_audio_destroy(audio);
      return samples;
    };
    vt_voice* live = nullptr;
    vt_voice* opened = nullptr;
    REQUIRE_EQ(vt_session_voice(session.handle, &live), VT_OK);
    REQUIRE_MESSAGE(vt_voice_open(&config, (folder / "generator.safetensors").c_str(), &opened) == VT_OK,
                    vt_last_error());
    const std::vector<float> first = speak(live, utterance);
    CHECK_GE(first.size(), 64u);
    CHECK_EQ(first.size() % 64, 0u);
    CHECK(first == speak(opened, utterance));
    vt_utterance other_seed = utterance;
    other_seed.seed = 100;
    CHECK_FALSE(first == speak(opened, other_seed));
    vt_utterance slow = utterance;
    slow.length_scale = 3.0f;
    CHECK_GT(speak(opened, slow).size(), first.size());
    vt_utterance bad = utterance;
    bad.speaker_id = 1;
    vt_audio* none = nullptr;
    CHECK_EQ(vt_voice_synthesize(opened, &bad, &none), VT_INVALID_ARGUMENT);
    CHECK_EQ(none, nullptr);
    const vt_conversion conversion{data.samples.data(), 2000, 0, 0, 1};
    CHECK_EQ(vt_voice_convert(opened, &conversion, &none), VT_INVALID_STATE);
    vt_voice_destroy(live);
    vt_voice_destroy(opened);
    CHECK_EQ(vt_voice_open(&config, (folder / "missing.safetensors").c_str(), &opened), VT_IO);
    fs::remove_all(folder);
  }

  TEST_CASE("a voice with speakers converts a recording to the same length") {
    vt_session_config config = tiny_config();
    config.model.speaker_count = 3;
    config.model.speaker_channels = 8;
    config.model.speaker_conditioned_encoder = 1;
    Session session(config);
    TinyBatch data;
    data.speakers = {0, 1, 2};
    data.batch.speaker_ids_B = data.speakers.data();
    session.step(data.batch, 0);
    vt_voice* voice = nullptr;
    REQUIRE_EQ(vt_session_voice(session.handle, &voice), VT_OK);
    const vt_conversion conversion{data.samples.data(), 2000, 0, 2, 1};
    vt_audio* audio = nullptr;
    REQUIRE_MESSAGE(vt_voice_convert(voice, &conversion, &audio) == VT_OK, vt_last_error());
    CHECK_EQ(vt_audio_sample_count(audio), 2000 / 64 * 64);
    vt_audio_destroy(audio);
    vt_voice_destroy(voice);
    data.speakers[1] = 3;
    vt_step_metrics metrics;
    CHECK_EQ(accumulate_both(session.handle, data.batch, kFirstStep, &metrics), VT_INVALID_ARGUMENT);
  }

  // Run in a process of its own by the test below.
  TEST_CASE("a batch brought ahead changes no step, and what is wrong with it is told when it is accumulated") {
    TinyBatch data;
    Session plain(tiny_config()), ahead(tiny_config());
    for (int64_t step = 0; step < 2; ++step) {
      REQUIRE_EQ(vt_session_prefetch(ahead.handle, &data.batch), VT_OK);
      CHECK(same(ahead.step(data.batch, step), plain.step(data.batch, step)));
    }
    data.samples[5] = std::numeric_limits<float>::quiet_NaN();
    CHECK_EQ(vt_session_prefetch(ahead.handle, &data.batch), VT_OK);
    CHECK_EQ(vt_session_accumulate(ahead.handle, VT_PHASE_DISCRIMINATORS, &data.batch, &kFirstStep), VT_NON_FINITE);
    CHECK_EQ(vt_session_prefetch(ahead.handle, nullptr), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_session_prefetch(nullptr, &data.batch), VT_INVALID_ARGUMENT);
  }

  TEST_CASE("steps whose metrics nobody reads ask the device for nothing, and one transfer brings what they left") {
    Session at_once(one_thread_config()), later(one_thread_config());
    std::vector<vt_step_metrics> expected;
    const valetts::testing::Operators reading = operators_of([&] {
      for (int64_t step = 0; step < kUnreadSteps; ++step) expected.push_back(unlike_step(at_once.handle, step, true));
    });
    const valetts::testing::Operators leaving = operators_of([&] {
      for (int64_t step = 0; step < kUnreadSteps; ++step) unlike_step(later.handle, step, false);
    });
    CHECK_EQ(leaving.asking(), std::string());
    CHECK_EQ(reading.transfers - leaving.transfers, kUnreadSteps);
    std::vector<vt_step_metrics> actual;
    const valetts::testing::Operators bringing = operators_of([&] { actual = read(later.handle, VT_UNREAD_STEPS); });
    CHECK_EQ(bringing.transfers, 1);
    REQUIRE_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i) {
      CAPTURE(i);
      CHECK_EQ(actual[i].step, static_cast<int64_t>(i));
      CHECK(same(actual[i], expected[i]));
    }
    CHECK(read(later.handle, 1).empty());
  }

  TEST_CASE("metrics wait in the order of their steps, over reads of others, discards, saves and loads") {
    const fs::path folder = fresh_folder("unread");
    TinyBatch data;
    Session at_once(one_thread_config()), later(one_thread_config());
    std::vector<vt_step_metrics> expected;
    for (int64_t step = 0; step < 3; ++step) {
      expected.push_back(unlike_step(at_once.handle, step, true));
      unlike_step(later.handle, step, false);
    }
    CHECK(same(at_once.step(data.batch, 3), later.step(data.batch, 3)));
    vt_step_params params = kFirstStep;
    params.step = 4;
    REQUIRE_EQ(vt_session_accumulate(later.handle, VT_PHASE_DISCRIMINATORS, &data.batch, &params), VT_OK);
    REQUIRE_EQ(vt_session_discard(later.handle), VT_OK);
    vt_profile* profile = nullptr;
    REQUIRE_EQ(vt_session_profile(later.handle, &data.batch, &params, &profile), VT_OK);
    vt_profile_destroy(profile);
    REQUIRE_EQ(save(later.handle, folder.c_str()), VT_OK);
    REQUIRE_EQ(vt_session_load(later.handle, folder.c_str(), VT_LOAD_STATE), VT_OK);
    const std::vector<vt_step_metrics> oldest = read(later.handle, 2), rest = read(later.handle, 2);
    REQUIRE_EQ(oldest.size(), 2);
    REQUIRE_EQ(rest.size(), 1);
    CHECK(same(oldest[0], expected[0]));
    CHECK(same(oldest[1], expected[1]));
    CHECK(same(rest[0], expected[2]));
    fs::remove_all(folder);
  }

  TEST_CASE("a step that learned nothing says so when it is read, and leaves the next ones as they are") {
    TinyBatch data;
    Session at_once(one_thread_config()), later(one_thread_config());
    std::vector<vt_step_metrics> expected;
    for (int64_t step = 0; step < 3; ++step) {
      vt_step_params params = kFirstStep;
      params.step = step;
      if (step == 1) params.mel_weight = 1e38;
      vt_step_metrics metrics;
      REQUIRE_EQ(accumulate_both(at_once.handle, data.batch, params, &metrics), VT_OK);
      REQUIRE_EQ(accumulate_both(later.handle, data.batch, params, nullptr), VT_OK);
      expected.push_back(metrics);
    }
    const std::vector<vt_step_metrics> actual = read(later.handle, 3);
    REQUIRE_EQ(actual.size(), 3);
    for (size_t i = 0; i < 3; ++i) {
      CHECK_EQ(actual[i].skipped_generator, i == 1 ? 1 : 0);
      CHECK_EQ(actual[i].skipped_discriminator, 0);
      CHECK(same(actual[i], expected[i]));
    }
  }

  TEST_CASE("as many steps as may wait are refused one more, which can be taken once they are read") {
    vt_session_config config = one_thread_config();
    config.model.duration_discriminator = VT_DURATION_DISCRIMINATOR_NONE;
    config.model.stochastic_duration_predictor = 0;
    config.segment_samples = 256;
    Session session(config);
    TinyBatch data;
    data.batch.batch_size = 1;
    data.batch.max_samples = 512;
    data.sample_lengths[0] = 512;
    vt_step_params params = kFirstStep;
    for (params.step = 0; params.step < VT_UNREAD_STEPS; ++params.step) {
      REQUIRE_EQ(accumulate_both(session.handle, data.batch, params, nullptr), VT_OK);
    }
    CHECK_EQ(accumulate_both(session.handle, data.batch, params, nullptr), VT_INVALID_STATE);
    CHECK_NE(std::string(vt_last_error()).find("call vt_session_read_metrics"), std::string::npos);
    CHECK_EQ(read(session.handle, 1).size(), 1);
    CHECK_EQ(vt_session_apply(session.handle, VT_PHASE_GENERATOR, &params, nullptr), VT_OK);
    const std::vector<vt_step_metrics> rest = read(session.handle, VT_UNREAD_STEPS);
    CHECK_EQ(rest.size(), VT_UNREAD_STEPS);
    CHECK_EQ(rest.front().step, 1);
    CHECK_EQ(rest.back().step, VT_UNREAD_STEPS);
    vt_step_metrics metrics;
    int64_t count = 0;
    CHECK_EQ(vt_session_read_metrics(session.handle, 0, &metrics, &count), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_session_read_metrics(session.handle, 1, nullptr, &count), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_session_read_metrics(session.handle, 1, &metrics, nullptr), VT_INVALID_ARGUMENT);
  }

  TEST_CASE("exits while a step runs" * doctest::skip()) {
    Session session(tiny_config());
    TinyBatch data;
    for (int64_t step = 0; step < 3; ++step) session.step(data.batch, step);
    std::thread([&] {
      for (int64_t step = 3;; ++step) session.step(data.batch, step);
    }).detach();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    std::exit(7);
  }

  TEST_CASE("a process that exits during a step keeps its exit status") {
    const std::string self = fs::read_symlink("/proc/self/exe").string();
    const int status = std::system(("'" + self + "' --no-skip --test-case='exits while a step runs' >/dev/null 2>&1").c_str());
    REQUIRE(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 7);
  }

  TEST_CASE("a buffer for batches is memory that can be written") {
    vt_buffer* buffer = nullptr;
    REQUIRE_EQ(vt_buffer_create("cpu", 1 << 20, &buffer), VT_OK);
    auto* bytes = static_cast<unsigned char*>(vt_buffer_address(buffer));
    REQUIRE(bytes != nullptr);
    std::memset(bytes, 7, 1 << 20);
    CHECK_EQ(bytes[(1 << 20) - 1], 7);
    vt_buffer_destroy(buffer);
    CHECK_EQ(vt_buffer_create("cpu", -1, &buffer), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_buffer_create("gpu", 1, &buffer), VT_INVALID_ARGUMENT);
    CHECK_EQ(vt_buffer_address(nullptr), nullptr);
  }

  TEST_CASE("the system is described") {
    vt_system system;
    REQUIRE_EQ(vt_system_query(&system), VT_OK);
    CHECK_GT(std::strlen(system.core_version), 0u);
    CHECK_GT(std::strlen(system.libtorch_version), 0u);
    CHECK_GE(system.threads, 1);
    CHECK_GE(system.cuda_device_count, 0);
#ifdef VALETTS_CUDA
    // Also where no driver is: the difference between a CPU build and a missing GPU is what the user must be told.
    CHECK_EQ(system.cuda_built, 1);
#endif
    if (system.cuda_built == 0) CHECK_EQ(system.cuda_device_count, 0);
  }

  TEST_CASE("a description adds up") {
    Session session(tiny_config());
    vt_description d;
    REQUIRE_EQ(vt_session_describe(session.handle, &d), VT_OK);
    CHECK_EQ(d.parameters_generator, d.parameters_text_encoder + d.parameters_posterior_encoder + d.parameters_flow +
                                         d.parameters_decoder + d.parameters_duration_predictor +
                                         d.parameters_speaker_embedding);
    CHECK_GT(d.parameters_dead, 0);
    CHECK_GT(d.process_resident_bytes, 0);
    CHECK_EQ(std::string(d.device), "cpu");
  }
}
