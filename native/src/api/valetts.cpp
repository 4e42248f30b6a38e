#include "valetts/valetts.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/headeronly/version.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include "api/guard.h"
#include "api/step_readings.h"
#include "api/translate.h"
#include "core/check.h"
#include "core/module_scope.h"
#include "core/profiler.h"
#include "core/path.h"
#include "core/transfer.h"
#include "infer/voice.h"
#include "interop/safetensors.h"
#include "parity/parity.h"
#include "train/captured_steps.h"
#include "train/prefetch.h"

#ifdef VALETTS_CUDA
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#endif

using valetts::guarded;

struct vt_session {
  explicit vt_session(const valetts::TrainerSettings& settings, at::Device device)
      : trainer(settings, device),
        steps(trainer, valetts::records_steps(valetts::gpu_path()) ? valetts::make_graph_recorder(device) : nullptr),
        upcoming(device) {}
  valetts::Trainer trainer;
  valetts::CapturedSteps steps;
  valetts::Prefetch upcoming;
  valetts::UnreadSteps unread;
};

struct vt_snapshot {
  valetts::TrainerSnapshot snapshot;
};

struct vt_buffer {
  c10::DataPtr memory;
};

struct vt_voice {
  vt_voice(std::shared_ptr<const valetts::Generator> generator, const valetts::AudioSettings& audio,
           valetts::Precision precision = valetts::Precision::kFp32)
      : voice(std::move(generator), audio, precision) {}
  valetts::Voice voice;
};

struct vt_parity_report {
  std::vector<valetts::ParityRow> rows;
};

struct vt_profile {
  explicit vt_profile(at::Device device) : profiler(device) {}
  valetts::Profiler profiler;
  std::vector<valetts::ProfileRow> rows;
};

struct vt_audio {
  std::vector<float> samples;
};

namespace {

constexpr const char* kCoreVersion = "0.1.0";

// Speech of many lengths and the copies of a snapshot leave holes in the heap that glibc keeps; a run of days would carry
// them on. Takes milliseconds, so it follows what takes longer: a validation, a save.
void return_free_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

template <typename T>
T& required(T* pointer, const char* name) {
  VT_CHECK_ARG(pointer != nullptr, name, " is NULL");
  return *pointer;
}

void put_text(char* target, size_t capacity, const std::string& text) {
  const size_t count = std::min(capacity - 1, text.size());
  std::memcpy(target, text.data(), count);
  target[count] = '\0';
}

valetts::StepPhase phase_of(int32_t phase) {
  VT_CHECK_ARG(phase == VT_PHASE_DISCRIMINATORS || phase == VT_PHASE_GENERATOR, "phase is ", phase,
               "; it must be 0 or 1");
  return static_cast<valetts::StepPhase>(phase);
}

valetts::StepSchedule schedule_of(const vt_step_params& given) {
  VT_CHECK_ARG(given.step >= 0, "params.step is ", given.step, "; it must not be negative");
  auto check = [](const char* field, double value) {
    VT_CHECK_ARG(std::isfinite(value) && value >= 0.0, "params.", field, " is ", value, "; it must not be negative");
  };
  check("learning_rate_generator", given.learning_rate_generator);
  check("learning_rate_discriminator", given.learning_rate_discriminator);
  check("learning_rate_duration_discriminator", given.learning_rate_duration_discriminator);
  check("mel_weight", given.mel_weight);
  check("kl_weight", given.kl_weight);
  check("gradient_limit", given.gradient_limit);
  check("loss_scale_limit", given.loss_scale_limit);
  const bool one_piece = given.batch_items == 0;
  VT_CHECK_ARG(one_piece ? given.batch_frames == 0 && given.batch_tokens == 0
                         : given.batch_items > 0 && given.batch_frames > 0 && given.batch_tokens > 0,
               "params.batch_items, batch_frames and batch_tokens must be all 0 or all above 0");
  return {given.step,
          given.learning_rate_generator,
          given.learning_rate_discriminator,
          given.learning_rate_duration_discriminator,
          given.mel_weight,
          given.kl_weight,
          given.gradient_limit,
          given.loss_scale_limit,
          {given.batch_items, given.batch_frames, given.batch_tokens}};
}

// A line "name:   123 kB" of /proc/self/status, in bytes; 0 where there is no such file.
int64_t process_bytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.compare(0, name.size() + 1, name + ":") == 0) return std::stoll(line.substr(name.size() + 1)) * 1024;
  }
  return 0;
}

vt_audio* audio_of(const at::Tensor& samples_N) {
  const at::Tensor host = samples_N.to(at::kCPU, at::kFloat).contiguous();
  auto* audio = new vt_audio;
  audio->samples.assign(host.data_ptr<float>(), host.data_ptr<float>() + host.numel());
  return audio;
}

void check_speaker(const char* field, int32_t speaker, const valetts::ModelSettings& model) {
  VT_CHECK_ARG(speaker >= 0 && speaker < model.speaker_count, field, " is ", speaker, "; the voice has ",
               model.speaker_count, " speaker(s)");
}

at::Tensor speaker_tensor(int32_t speaker, const valetts::Voice& voice) {
  if (voice.generator().settings().speaker_count == 1) return {};
  return at::full({1}, static_cast<int64_t>(speaker), at::TensorOptions(at::kLong).device(voice.device()));
}

// What tells a batch from others of the run: its shape and its utterances.
std::vector<int64_t> key_of(const vt_batch& batch) {
  std::vector<int64_t> key{batch.max_tokens, batch.max_samples};
  if (batch.utterance_ids_B != nullptr && batch.batch_size > 0) {
    key.insert(key.end(), batch.utterance_ids_B, batch.utterance_ids_B + batch.batch_size);
  }
  return key;
}

valetts::StepInputs inputs_of(const valetts::Trainer& trainer, const valetts::BatchTensors& batch) {
  return trainer.prepare(batch.token_ids_BT, batch.token_lengths_B, batch.samples_BN, batch.sample_lengths_B,
                         batch.speaker_ids_B);
}

}  // namespace

extern "C" {

vt_status vt_system_query(vt_system* out_system) {
  return guarded([&] {
    vt_system& system = required(out_system, "out_system");
    vt_system filled{};
    put_text(filled.core_version, sizeof filled.core_version, kCoreVersion);
    put_text(filled.libtorch_version, sizeof filled.libtorch_version, TORCH_VERSION);
    put_text(filled.cpu_capability, sizeof filled.cpu_capability, at::get_cpu_capability());
    // hasCUDA() asks for a GPU that works; hasCUDART() for a libtorch that could use one.
    filled.cuda_built = at::globalContext().hasCUDART() ? 1 : 0;
    filled.cuda_device_count =
        at::globalContext().hasCUDA() ? static_cast<int32_t>(at::detail::getCUDAHooks().deviceCount()) : 0;
    std::string names;
    for (int32_t i = 0; i < filled.cuda_device_count; ++i) {
      if (i > 0) names += '\n';
#ifdef VALETTS_CUDA
      names += at::cuda::getDeviceProperties(i)->name;
#else
      names += "cuda:" + std::to_string(i);
#endif
    }
    put_text(filled.cuda_devices, sizeof filled.cuda_devices, names);
    filled.threads = at::get_num_threads();
    system = filled;
  });
}

vt_status vt_session_config_init(vt_session_config* config) {
  return guarded([&] {
    vt_session_config filled{};
    filled.audio = {22050, 1024, 256, 1024, 80, 0.0f, 0.0f};
    vt_model_config& model = filled.model;
    model.vocabulary_size = 256;
    model.speaker_count = 1;
    model.speaker_channels = 256;
    model.posterior_input = VT_SPECTROGRAM_MEL;
    model.inter_channels = 192;
    model.hidden_channels = 192;
    model.filter_channels = 768;
    model.attention_heads = 2;
    model.encoder_layers = 6;
    model.encoder_kernel_size = 3;
    model.dropout = 0.1f;
    model.posterior_layers = 16;
    model.flow_kind = VT_FLOW_PRE_CONV;
    model.flow_couplings = 4;
    model.flow_layers = 4;
    model.stochastic_duration_predictor = 1;
    model.duration_discriminator = VT_DURATION_DISCRIMINATOR_V2;
    model.noise_scaled_alignment = 1;
    model.decoder_kind = VT_DECODER_HIFIGAN;
    model.resblock_kind = 1;
    model.resblock_kernel_count = 3;
    model.resblock_dilation_count = 3;
    const int32_t kernels[] = {3, 7, 11}, dilations[] = {1, 3, 5};
    for (int k = 0; k < 3; ++k) {
      model.resblock_kernel_sizes[k] = kernels[k];
      for (int d = 0; d < 3; ++d) model.resblock_dilations[k * VT_MAX_DILATIONS + d] = dilations[d];
    }
    const int32_t rates[] = {8, 8, 2, 2}, upsample_kernels[] = {16, 16, 4, 4};
    model.upsample_count = 4;
    for (int i = 0; i < 4; ++i) {
      model.upsample_rates[i] = rates[i];
      model.upsample_kernel_sizes[i] = upsample_kernels[i];
    }
    model.upsample_initial_channels = 512;
    model.discriminator_width_divisor = 1;
    filled.optimizer = {0.8, 0.99, 1e-9, 0.01, 0.0};
    filled.segment_samples = 8192;
    filled.seed = 1234;
    filled.device = "auto";
    required(config, "config") = filled;
  });
}

vt_status vt_session_create(const vt_session_config* config, vt_session** out_session) {
  return guarded([&] {
    const vt_session_config& given = required(config, "config");
    vt_session*& out = required(out_session, "out_session");
    const valetts::TrainerSettings settings = valetts::trainer_settings(given);
    const at::Device device = valetts::device_of(given.device);
    valetts::check_precision(settings.precision, device);
    valetts::set_threads(given.threads);
    out = new vt_session(settings, device);
  });
}

void vt_session_destroy(vt_session* session) { delete session; }

vt_status vt_session_accumulate(vt_session* session, int32_t phase, const vt_batch* batch,
                                const vt_step_params* params) {
  return guarded([&] {
    const valetts::Trainer& trainer = required(session, "session").trainer;
    valetts::CapturedSteps& steps = session->steps;
    const valetts::StepPhase given_phase = phase_of(phase);
    const valetts::StepSchedule schedule = schedule_of(required(params, "params"));
    if (given_phase == valetts::StepPhase::kGenerator && steps.keeps_batch()) {
      const int64_t items = required(batch, "batch").batch_size;
      VT_CHECK_ARG(schedule.totals.items == 0 || items == schedule.totals.items, "the batch has ", schedule.totals.items,
                   " utterances and came in one piece, this piece has ", items);
      steps.accumulate_kept(schedule);
      return;
    }
    if (given_phase == valetts::StepPhase::kDiscriminators) {
      const vt_batch& given = required(batch, "batch");
      if (const std::optional<valetts::StepInputs> inputs = session->upcoming.take(key_of(given))) {
        steps.accumulate(given_phase, *inputs, {given.utterance_ids_B, given.utterance_ids_B + given.batch_size}, schedule);
        return;
      }
    }
    const valetts::BatchTensors tensors =
        valetts::batch_tensors(batch, trainer.settings().model, trainer.settings().audio);
    steps.accumulate(given_phase, inputs_of(trainer, tensors), tensors.utterance_ids, schedule);
  });
}

vt_status vt_session_prefetch(vt_session* session, const vt_batch* batch) {
  return guarded([&] {
    const valetts::Trainer& trainer = required(session, "session").trainer;
    session->upcoming.begin(key_of(required(batch, "batch")), [&] {
      return inputs_of(trainer, valetts::batch_tensors(batch, trainer.settings().model, trainer.settings().audio));
    });
  });
}

vt_status vt_session_apply(vt_session* session, int32_t phase, const vt_step_params* params,
                           vt_step_metrics* out_metrics) {
  return guarded([&] {
    valetts::Trainer& trainer = required(session, "session").trainer;
    const valetts::StepPhase given_phase = phase_of(phase);
    const valetts::StepSchedule schedule = schedule_of(required(params, "params"));
    if (out_metrics != nullptr) {
      valetts::StepReading reading(schedule, trainer.device());
      session->steps.apply(given_phase, schedule);
      reading.take(trainer.losses());
      *out_metrics = reading.metrics(valetts::downloaded(reading.values_K()).const_data_ptr<float>());
      return;
    }
    const bool whole = given_phase == valetts::StepPhase::kGenerator;
    if (whole) session->unread.begin(schedule, trainer.device());
    session->steps.apply(given_phase, schedule);
    if (whole) session->unread.keep(trainer.losses());
  });
}

vt_status vt_session_read_metrics(vt_session* session, int64_t capacity, vt_step_metrics* out_metrics, int64_t* out_count) {
  return guarded([&] {
    valetts::UnreadSteps& unread = required(session, "session").unread;
    VT_CHECK_ARG(capacity >= 1, "capacity is ", capacity, "; it must be at least 1");
    vt_step_metrics& first = required(out_metrics, "out_metrics");
    int64_t& count = required(out_count, "out_count");
    const std::vector<vt_step_metrics> metrics = unread.read(capacity);
    std::copy(metrics.begin(), metrics.end(), &first);
    count = static_cast<int64_t>(metrics.size());
  });
}

vt_status vt_session_discard(vt_session* session) {
  return guarded([&] {
    required(session, "session").steps.discard();
    session->upcoming.clear();
#ifdef VALETTS_CUDA
    if (session->trainer.device().is_cuda()) c10::cuda::CUDACachingAllocator::emptyCache();
#endif
  });
}

vt_status vt_session_evaluate(vt_session* session, const vt_batch* batch, vt_evaluation* out_evaluation) {
  return guarded([&] {
    const valetts::Trainer& trainer = required(session, "session").trainer;
    vt_evaluation& out = required(out_evaluation, "out_evaluation");
    const valetts::EvaluationSums sums = trainer.evaluate(
        inputs_of(trainer, valetts::batch_tensors(batch, trainer.settings().model, trainer.settings().audio)));
    out = {sums.mel_l1, sums.mel_count, sums.kl, sums.frames, sums.duration_error, sums.tokens};
  });
}

vt_status vt_session_inspect(vt_session* session, const vt_batch* batch, vt_inspection* inspection) {
  return guarded([&] {
    const valetts::Trainer& trainer = required(session, "session").trainer;
    vt_inspection& out = required(inspection, "inspection");
    const valetts::InspectionTensors seen = trainer.inspect(
        inputs_of(trainer, valetts::batch_tensors(batch, trainer.settings().model, trainer.settings().audio)));
    auto copy = [](const at::Tensor& from, void* to, int64_t capacity, const char* name) {
      VT_CHECK_ARG(to != nullptr, "inspection.", name, " is NULL");
      VT_CHECK_ARG(capacity >= from.numel(), "inspection.", name, " holds ", capacity, " elements; ", from.numel(),
                   " are needed");
      std::memcpy(to, from.data_ptr(), from.nbytes());
    };
    copy(seen.mel_recording_MS, out.mel_recording_MS, out.mel_capacity, "mel_recording_MS");
    copy(seen.mel_decoded_MS, out.mel_decoded_MS, out.mel_capacity, "mel_decoded_MS");
    copy(seen.alignment_TS, out.alignment_TS, out.alignment_capacity, "alignment_TS");
    copy(seen.decoded_N, out.decoded_N, out.decoded_capacity, "decoded_N");
    out.frames = static_cast<int32_t>(seen.alignment_TS.size(1));
    out.tokens = static_cast<int32_t>(seen.alignment_TS.size(0));
    out.samples = static_cast<int32_t>(seen.decoded_N.numel());
  });
}

vt_status vt_session_describe(vt_session* session, vt_description* out_description) {
  return guarded([&] {
    valetts::Trainer& trainer = required(session, "session").trainer;
    vt_description& out = required(out_description, "out_description");
    const valetts::ParameterStore& generator = trainer.generator()->parameters();
    vt_description filled{};
    filled.parameters_dead = valetts::Flow::dead_parameter_count(trainer.settings().model);
    filled.parameters_text_encoder = generator.count("enc_p.");
    filled.parameters_posterior_encoder = generator.count("enc_q.");
    filled.parameters_flow = generator.count("flow.") + filled.parameters_dead;
    filled.parameters_decoder = generator.count("dec.");
    filled.parameters_duration_predictor = generator.count("dp.");
    filled.parameters_speaker_embedding = generator.count("emb_g.");
    filled.parameters_generator = generator.count() + filled.parameters_dead;
    filled.parameters_discriminator = trainer.discriminator_parameters().count();
    filled.parameters_duration_discriminator = trainer.duration_discriminator_parameters().count();
    filled.process_resident_bytes = process_bytes("VmRSS");
    filled.process_peak_bytes = process_bytes("VmHWM");
#ifdef VALETTS_CUDA
    if (trainer.device().is_cuda()) {
      const auto index = trainer.device().index();
      const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(index);
      filled.device_allocated_bytes = stats.allocated_bytes[0].current;
      filled.device_peak_bytes = stats.reserved_bytes[0].peak;
      c10::cuda::CUDACachingAllocator::resetPeakStats(index);
      const c10::cuda::CUDAGuard on_device(index);
      size_t free = 0, total = 0;
      C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
      filled.device_free_bytes = static_cast<int64_t>(free);
      filled.device_total_bytes = static_cast<int64_t>(total);
    }
#endif
    filled.recorded_kernels = session->steps.counts().kernels;
    put_text(filled.device, sizeof filled.device, trainer.device().str());
    out = filled;
  });
}

vt_status vt_session_profile(vt_session* session, const vt_batch* batch, const vt_step_params* params,
                             vt_profile** profile) {
  return guarded([&] {
    valetts::Trainer& trainer = required(session, "session").trainer;
    const valetts::StepSchedule schedule = schedule_of(required(params, "params"));
    vt_profile*& out = required(profile, "profile");
    auto begun = out == nullptr ? std::make_unique<vt_profile>(trainer.device()) : nullptr;
    vt_profile& taken = begun ? *begun : *out;
    taken.profiler.measure([&] {
      const valetts::BatchTensors tensors = [&] {
        const valetts::ModuleScope scope("data");
        return valetts::batch_tensors(batch, trainer.settings().model, trainer.settings().audio);
      }();
      const valetts::StepInputs inputs = inputs_of(trainer, tensors);
      valetts::KeyedNoise noise(trainer.settings().seed, schedule.step, tensors.utterance_ids, trainer.device());
      trainer.step(inputs, schedule, noise);
    });
    taken.rows = taken.profiler.rows();
    if (begun) out = begun.release();
  });
}

int64_t vt_profile_row_count(const vt_profile* profile) {
  return profile == nullptr ? 0 : static_cast<int64_t>(profile->rows.size());
}

vt_status vt_profile_row_at(const vt_profile* profile, int64_t index, vt_profile_row* out_row) {
  return guarded([&] {
    const std::vector<valetts::ProfileRow>& rows = required(profile, "profile").rows;
    VT_CHECK_ARG(index >= 0 && index < static_cast<int64_t>(rows.size()), "index is ", index, "; the profile has ",
                 rows.size(), " rows");
    const valetts::ProfileRow& row = rows[static_cast<size_t>(index)];
    vt_profile_row& out = required(out_row, "out_row");
    out = {};
    put_text(out.module, sizeof out.module, row.module);
    out.backward = row.direction == valetts::PassDirection::kBackward ? 1 : 0;
    out.seconds = row.seconds;
    out.calls = row.calls;
    out.operators = row.operators;
    out.bytes = row.bytes;
  });
}

vt_status vt_profile_write_trace(const vt_profile* profile, const char* file_utf8) {
  return guarded([&] {
    const valetts::Profiler& profiler = required(profile, "profile").profiler;
    profiler.write_trace(&required(file_utf8, "file_utf8"));
  });
}

void vt_profile_destroy(vt_profile* profile) { delete profile; }

vt_status vt_session_snapshot(vt_session* session, vt_snapshot** out_snapshot) {
  return guarded([&] {
    const valetts::Trainer& trainer = required(session, "session").trainer;
    vt_snapshot*& out = required(out_snapshot, "out_snapshot");
    out = new vt_snapshot{trainer.snapshot()};
  });
}

vt_status vt_snapshot_write(vt_snapshot* snapshot, const char* directory_utf8) {
  return guarded(
      [&] { required(snapshot, "snapshot").snapshot.write(&required(directory_utf8, "directory_utf8")); });
}

void vt_snapshot_destroy(vt_snapshot* snapshot) {
  delete snapshot;
  return_free_memory();
}

vt_status vt_session_load(vt_session* session, const char* directory_utf8, int32_t what) {
  return guarded([&] {
    valetts::Trainer& trainer = required(session, "session").trainer;
    const std::string directory = &required(directory_utf8, "directory_utf8");
    VT_CHECK_ARG(what == VT_LOAD_STATE || what == VT_LOAD_WEIGHTS, "what is ", what, "; it must be 0 or 1");
    session->steps.drop();
    if (what == VT_LOAD_STATE) {
      trainer.load(directory);
    } else {
      trainer.load_weights(directory);
    }
  });
}

vt_status vt_buffer_create(const char* device, int64_t bytes, vt_buffer** out_buffer) {
  return guarded([&] {
    const at::Device target = valetts::device_of(device);
    VT_CHECK_ARG(bytes >= 0, "bytes is ", bytes, "; it must not be negative");
    vt_buffer*& out = required(out_buffer, "out_buffer");
    c10::Allocator* allocator =
        target.is_cuda() ? at::globalContext().getPinnedMemoryAllocator() : c10::GetAllocator(c10::kCPU);
    out = new vt_buffer{allocator->allocate(static_cast<size_t>(bytes))};
  });
}

void* vt_buffer_address(vt_buffer* buffer) { return buffer == nullptr ? nullptr : buffer->memory.get(); }

void vt_buffer_destroy(vt_buffer* buffer) { delete buffer; }

vt_status vt_session_voice(vt_session* session, vt_voice** out_voice) {
  return guarded([&] {
    const valetts::Trainer& trainer = required(session, "session").trainer;
    required(out_voice, "out_voice") = new vt_voice(trainer.voice_generator(), trainer.settings().audio);
  });
}

vt_status vt_voice_open(const vt_session_config* config, const char* generator_file_utf8, vt_voice** out_voice) {
  return guarded([&] {
    const vt_session_config& given = required(config, "config");
    const std::string file = &required(generator_file_utf8, "generator_file_utf8");
    vt_voice*& out = required(out_voice, "out_voice");
    const valetts::AudioSettings audio = valetts::audio_settings(given.audio);
    const valetts::ModelSettings model = valetts::model_settings(given.model, audio);
    const at::Device device = valetts::device_of(given.device);
    valetts::set_threads(given.threads);
    auto generator = std::make_shared<valetts::Generator>(model, 0, device);
    generator->parameters().assign(valetts::read_safetensors(file), file);
    out = new vt_voice(std::move(generator), audio, valetts::precision_of(given.precision));
  });
}

vt_status vt_voice_synthesize(vt_voice* voice, const vt_utterance* utterance, vt_audio** out_audio) {
  return guarded([&] {
    const valetts::Voice& speaker = required(voice, "voice").voice;
    const vt_utterance& given = required(utterance, "utterance");
    vt_audio*& out = required(out_audio, "out_audio");
    const valetts::ModelSettings& model = speaker.generator().settings();
    VT_CHECK_ARG(given.token_count >= 1 && given.token_count <= 1 << 16, "utterance.token_count is ",
                 given.token_count, "; it must be 1 to 65536");
    VT_CHECK_ARG(given.token_ids != nullptr, "utterance.token_ids is NULL");
    for (int32_t t = 0; t < given.token_count; ++t) {
      VT_CHECK_ARG(given.token_ids[t] >= 0 && given.token_ids[t] < model.vocabulary_size, "utterance.token_ids[", t,
                   "] is ", given.token_ids[t], "; the vocabulary has ", model.vocabulary_size, " symbols");
    }
    check_speaker("utterance.speaker_id", given.speaker_id, model);
    auto check_scale = [](const char* field, float value, bool positive) {
      VT_CHECK_ARG(std::isfinite(value) && (positive ? value > 0.0f : value >= 0.0f), field, " is ", value,
                   positive ? "; it must be above 0" : "; it must not be negative");
    };
    check_scale("utterance.noise_scale", given.noise_scale, false);
    check_scale("utterance.duration_noise_scale", given.duration_noise_scale, false);
    check_scale("utterance.length_scale", given.length_scale, true);
    const at::Tensor tokens =
        at::from_blob(const_cast<int32_t*>(given.token_ids), {1, given.token_count}, at::TensorOptions(at::kInt))
            .to(speaker.device(), at::kLong);
    const at::Tensor lengths =
        at::full({1}, given.token_count, at::TensorOptions(at::kLong).device(speaker.device()));
    valetts::KeyedNoise noise(given.seed, 0, {0}, speaker.device());
    const valetts::SynthesisTrace trace =
        speaker.synthesize(tokens, lengths, speaker_tensor(given.speaker_id, speaker),
                           {given.noise_scale, given.duration_noise_scale, given.length_scale}, noise);
    out = audio_of(trace.audio_B1N.flatten());
  });
}

vt_status vt_voice_convert(vt_voice* voice, const vt_conversion* conversion, vt_audio** out_audio) {
  return guarded([&] {
    const valetts::Voice& speaker = required(voice, "voice").voice;
    const vt_conversion& given = required(conversion, "conversion");
    vt_audio*& out = required(out_audio, "out_audio");
    const valetts::ModelSettings& model = speaker.generator().settings();
    VT_CHECK_ARG(given.samples_N != nullptr, "conversion.samples_N is NULL");
    VT_CHECK_ARG(given.sample_count >= speaker.audio().hop_length, "conversion.sample_count is ", given.sample_count,
                 "; it must be at least one frame, ", speaker.audio().hop_length);
    check_speaker("conversion.source_speaker_id", given.source_speaker_id, model);
    check_speaker("conversion.target_speaker_id", given.target_speaker_id, model);
    const at::Tensor samples =
        at::from_blob(const_cast<float*>(given.samples_N), {1, given.sample_count}, at::TensorOptions(at::kFloat))
            .to(speaker.device());
    valetts::KeyedNoise noise(given.seed, 0, {0}, speaker.device());
    out = audio_of(speaker
                       .convert(samples, at::full({1}, given.sample_count, at::TensorOptions(at::kLong)),
                                speaker_tensor(given.source_speaker_id, speaker),
                                speaker_tensor(given.target_speaker_id, speaker), noise)
                       .audio_B1N.flatten());
  });
}

void vt_voice_destroy(vt_voice* voice) {
  delete voice;
  return_free_memory();
}

int64_t vt_audio_sample_count(const vt_audio* audio) {
  return audio == nullptr ? 0 : static_cast<int64_t>(audio->samples.size());
}

vt_status vt_audio_copy(const vt_audio* audio, float* out_samples, int64_t capacity) {
  return guarded([&] {
    const std::vector<float>& samples = required(audio, "audio").samples;
    VT_CHECK_ARG(out_samples != nullptr, "out_samples is NULL");
    VT_CHECK_ARG(capacity >= static_cast<int64_t>(samples.size()), "capacity is ", capacity, "; ", samples.size(),
                 " samples are to be copied");
    std::memcpy(out_samples, samples.data(), samples.size() * sizeof(float));
  });
}

void vt_audio_destroy(vt_audio* audio) { delete audio; }

vt_status vt_spectrogram(const vt_audio_config* config, int32_t kind, const float* samples_N, int64_t sample_count,
                         float* out_values, int64_t capacity, int32_t* out_frames) {
  return guarded([&] {
    const valetts::AudioSettings settings = valetts::audio_settings(required(config, "config"));
    VT_CHECK_ARG(kind == VT_SPECTROGRAM_MEL || kind == VT_SPECTROGRAM_LINEAR, "kind is ", kind, "; it must be 0 or 1");
    VT_CHECK_ARG(samples_N != nullptr && out_values != nullptr, "a buffer is NULL");
    VT_CHECK_ARG(sample_count >= settings.hop_length, "sample_count is ", sample_count,
                 "; it must be at least one frame, ", settings.hop_length);
    int32_t& frames_out = required(out_frames, "out_frames");
    at::NoGradGuard no_grad;
    const at::Tensor samples =
        at::from_blob(const_cast<float*>(samples_N), {1, sample_count}, at::TensorOptions(at::kFloat));
    const valetts::SpectrogramExtractor extractor(settings);
    const at::Tensor values =
        (kind == VT_SPECTROGRAM_MEL ? extractor.mel_BMS(samples) : extractor.linear_BFS(samples)).contiguous();
    VT_CHECK_ARG(capacity >= values.numel(), "capacity is ", capacity, "; ", values.numel(), " values are needed");
    std::memcpy(out_values, values.data_ptr<float>(), values.nbytes());
    frames_out = static_cast<int32_t>(values.size(2));
  });
}

vt_status vt_parity_check(const vt_parity_request* request, vt_parity_report** out_report) {
  return guarded([&] {
    const vt_parity_request& given = required(request, "request");
    vt_parity_report*& out = required(out_report, "out_report");
    valetts::ParityRequest check;
    check.folder = &required(given.folder_utf8, "request.folder_utf8");
    check.set = &required(given.set, "request.set");
    check.device = valetts::device_of(given.device);
    check.precision = valetts::precision_of(given.precision);
    check.plain_path = given.plain_path != 0;
    valetts::set_threads(given.threads);
    out = new vt_parity_report{valetts::check_parity(check).rows()};
  });
}

int64_t vt_parity_row_count(const vt_parity_report* report) {
  return report == nullptr ? 0 : static_cast<int64_t>(report->rows.size());
}

vt_status vt_parity_row_at(const vt_parity_report* report, int64_t index, vt_parity_row* out_row) {
  return guarded([&] {
    const std::vector<valetts::ParityRow>& rows = required(report, "report").rows;
    VT_CHECK_ARG(index >= 0 && index < static_cast<int64_t>(rows.size()), "index is ", index, "; the report has ",
                 rows.size(), " rows");
    const valetts::ParityRow& row = rows[static_cast<size_t>(index)];
    vt_parity_row& out = required(out_row, "out_row");
    out = {};
    put_text(out.tensor, sizeof out.tensor, row.tensor);
    out.kind = static_cast<int32_t>(row.kind);
    out.error = row.error;
    out.error_limit = row.limit;
    out.passed = row.passed ? 1 : 0;
  });
}

void vt_parity_destroy(vt_parity_report* report) { delete report; }

}  // extern "C"
