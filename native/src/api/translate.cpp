#include "api/translate.h"

#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <cstring>
#include <string>

#include "core/check.h"

namespace valetts {

namespace {

void check_range(const char* field, int64_t value, int64_t low, int64_t high) {
  VT_CHECK_ARG(value >= low && value <= high, field, " is ", value, "; it must be ", low, " to ", high);
}

}  // namespace

AudioSettings audio_settings(const vt_audio_config& audio) {
  AudioSettings settings;
  settings.sample_rate_hz = audio.sample_rate_hz;
  settings.fft_size = audio.fft_size;
  settings.hop_length = audio.hop_length;
  settings.win_length = audio.win_length;
  settings.mel_bins = audio.mel_bins;
  settings.mel_min_hz = audio.mel_min_hz;
  settings.mel_max_hz = audio.mel_max_hz;
  settings.check();
  return settings;
}

ModelSettings model_settings(const vt_model_config& model, const AudioSettings& audio) {
  check_range("model.vocabulary_size", model.vocabulary_size, 1, 1 << 20);
  check_range("model.speaker_count", model.speaker_count, 1, 1 << 20);
  if (model.speaker_count > 1) check_range("model.speaker_channels", model.speaker_channels, 1, 1 << 14);
  check_range("model.posterior_input", model.posterior_input, VT_SPECTROGRAM_MEL, VT_SPECTROGRAM_LINEAR);
  check_range("model.inter_channels", model.inter_channels, 2, 1 << 14);
  check_range("model.hidden_channels", model.hidden_channels, 1, 1 << 14);
  check_range("model.filter_channels", model.filter_channels, 1, 1 << 16);
  check_range("model.attention_heads", model.attention_heads, 1, model.hidden_channels);
  VT_CHECK_ARG(model.hidden_channels % model.attention_heads == 0, "model.hidden_channels is ", model.hidden_channels,
               "; it must be a multiple of model.attention_heads = ", model.attention_heads);
  check_range("model.encoder_layers", model.encoder_layers, 1, 256);
  check_range("model.encoder_kernel_size", model.encoder_kernel_size, 1, 255);
  VT_CHECK_ARG(model.encoder_kernel_size % 2 == 1, "model.encoder_kernel_size is ", model.encoder_kernel_size,
               "; it must be odd");
  VT_CHECK_ARG(model.dropout >= 0.0f && model.dropout < 1.0f, "model.dropout is ", model.dropout,
               "; it must be in [0, 1)");
  VT_CHECK_ARG(model.inter_channels % 2 == 0, "model.inter_channels is ", model.inter_channels, "; it must be even");
  check_range("model.flow_kind", model.flow_kind, VT_FLOW_PLAIN, VT_FLOW_PRE_CONV2);
  VT_CHECK_ARG(model.flow_kind != VT_FLOW_PRE_CONV || model.inter_channels % 4 == 0, "model.inter_channels is ",
               model.inter_channels, "; the pre_conv flow needs a multiple of 4");
  VT_CHECK_ARG(model.flow_kind != VT_FLOW_PRE_CONV2 || model.hidden_channels % 2 == 0, "model.hidden_channels is ",
               model.hidden_channels, "; the pre_conv2 flow needs an even number");
  check_range("model.posterior_layers", model.posterior_layers, 1, 256);
  check_range("model.flow_couplings", model.flow_couplings, 1, 64);
  check_range("model.flow_layers", model.flow_layers, 1, 256);
  check_range("model.duration_discriminator", model.duration_discriminator, VT_DURATION_DISCRIMINATOR_NONE,
              VT_DURATION_DISCRIMINATOR_V2);
  check_range("model.decoder_kind", model.decoder_kind, VT_DECODER_HIFIGAN, VT_DECODER_BIGVGAN);
  check_range("model.resblock_kind", model.resblock_kind, 1, 2);
  check_range("model.resblock_kernel_count", model.resblock_kernel_count, 1, VT_MAX_RESBLOCK_KERNELS);
  check_range("model.resblock_dilation_count", model.resblock_dilation_count, 1, VT_MAX_DILATIONS);
  check_range("model.upsample_count", model.upsample_count, 1, VT_MAX_UPSAMPLES);
  check_range("model.discriminator_width_divisor", model.discriminator_width_divisor, 1, 1024);
  if (model.speaker_conditioned_encoder != 0) {
    VT_CHECK_ARG(model.speaker_count > 1, "model.speaker_conditioned_encoder needs model.speaker_count above 1");
    VT_CHECK_ARG(model.encoder_layers > 2, "model.speaker_conditioned_encoder needs model.encoder_layers above 2");
  }

  ModelSettings settings;
  settings.vocabulary_size = model.vocabulary_size;
  settings.speaker_count = model.speaker_count;
  settings.speaker_channels = model.speaker_count > 1 ? model.speaker_channels : 0;
  settings.posterior_input =
      model.posterior_input == VT_SPECTROGRAM_MEL ? PosteriorInput::kMel : PosteriorInput::kLinear;
  settings.spectrogram_bins =
      settings.posterior_input == PosteriorInput::kMel ? audio.mel_bins : audio.linear_bins();
  settings.inter_channels = model.inter_channels;
  settings.hidden_channels = model.hidden_channels;
  settings.filter_channels = model.filter_channels;
  settings.attention_heads = model.attention_heads;
  settings.encoder_layers = model.encoder_layers;
  settings.encoder_kernel_size = model.encoder_kernel_size;
  settings.dropout = model.dropout;
  settings.speaker_conditioned_encoder = model.speaker_conditioned_encoder != 0;
  settings.posterior_layers = model.posterior_layers;
  settings.flow_kind = static_cast<FlowKind>(model.flow_kind);
  settings.flow_couplings = model.flow_couplings;
  settings.flow_layers = model.flow_layers;
  settings.stochastic_duration_predictor = model.stochastic_duration_predictor != 0;
  settings.duration_discriminator = static_cast<DurationDiscriminatorKind>(model.duration_discriminator);
  settings.noise_scaled_alignment = model.noise_scaled_alignment != 0;
  settings.decoder_kind = static_cast<DecoderKind>(model.decoder_kind);
  settings.resblock_kind = model.resblock_kind;
  settings.resblock_kernel_sizes.clear();
  settings.resblock_dilations.clear();
  for (int32_t k = 0; k < model.resblock_kernel_count; ++k) {
    const int32_t kernel = model.resblock_kernel_sizes[k];
    check_range("model.resblock_kernel_sizes", kernel, 1, 255);
    VT_CHECK_ARG(kernel % 2 == 1, "model.resblock_kernel_sizes holds ", kernel, "; it must be odd");
    settings.resblock_kernel_sizes.push_back(kernel);
    std::vector<int64_t> dilations;
    for (int32_t d = 0; d < model.resblock_dilation_count; ++d) {
      dilations.push_back(model.resblock_dilations[k * VT_MAX_DILATIONS + d]);
      check_range("model.resblock_dilations", dilations.back(), 1, 1024);
    }
    settings.resblock_dilations.push_back(std::move(dilations));
  }
  settings.upsample_rates.clear();
  settings.upsample_kernel_sizes.clear();
  int64_t product = 1;
  for (int32_t i = 0; i < model.upsample_count; ++i) {
    const int32_t rate = model.upsample_rates[i], kernel = model.upsample_kernel_sizes[i];
    check_range("model.upsample_rates", rate, 1, 1024);
    VT_CHECK_ARG(kernel >= rate && (kernel - rate) % 2 == 0, "model.upsample_kernel_sizes holds ", kernel,
                 " for rate ", rate, "; it must exceed the rate by an even number");
    settings.upsample_rates.push_back(rate);
    settings.upsample_kernel_sizes.push_back(kernel);
    product *= rate;
  }
  VT_CHECK_ARG(product == audio.hop_length, "audio.hop_length is ", audio.hop_length,
               ", but model.upsample_rates multiply to ", product);
  settings.upsample_initial_channels = model.upsample_initial_channels;
  check_range("model.upsample_initial_channels", model.upsample_initial_channels, int64_t{1} << model.upsample_count,
              1 << 14);
  VT_CHECK_ARG(model.upsample_initial_channels % (1 << model.upsample_count) == 0,
               "model.upsample_initial_channels is ", model.upsample_initial_channels, "; it must be a multiple of ",
               1 << model.upsample_count, " (halved at each upsampling)");
  settings.discriminator_width_divisor = model.discriminator_width_divisor;
  return settings;
}

Precision precision_of(int32_t precision) {
  check_range("precision", precision, VT_PRECISION_FP32, VT_PRECISION_FP64);
  return static_cast<Precision>(precision);
}

TrainerSettings trainer_settings(const vt_session_config& config) {
  TrainerSettings settings;
  settings.audio = audio_settings(config.audio);
  settings.model = model_settings(config.model, settings.audio);
  const vt_optimizer_config& optimizer = config.optimizer;
  auto check_unit = [](const char* field, double value) {
    VT_CHECK_ARG(value >= 0.0 && value < 1.0, field, " is ", value, "; it must be in [0, 1)");
  };
  check_unit("optimizer.beta1", optimizer.beta1);
  check_unit("optimizer.beta2", optimizer.beta2);
  VT_CHECK_ARG(optimizer.epsilon > 0.0, "optimizer.epsilon is ", optimizer.epsilon, "; it must be above 0");
  VT_CHECK_ARG(optimizer.weight_decay >= 0.0, "optimizer.weight_decay is ", optimizer.weight_decay,
               "; it must not be negative");
  settings.optimizer = {optimizer.beta1, optimizer.beta2, optimizer.epsilon, optimizer.weight_decay};
  check_unit("optimizer.average_decay", optimizer.average_decay);
  settings.average_decay = optimizer.average_decay;
  VT_CHECK_ARG(config.segment_samples > 0 && config.segment_samples % settings.audio.hop_length == 0,
               "segment_samples is ", config.segment_samples, "; it must be a multiple of audio.hop_length = ",
               settings.audio.hop_length);
  // The loss mel reflects half a window beyond each end of the segment.
  VT_CHECK_ARG(config.segment_samples > (settings.audio.fft_size - settings.audio.hop_length) / 2,
               "segment_samples is ", config.segment_samples, "; it must exceed (fft_size - hop_length) / 2 = ",
               (settings.audio.fft_size - settings.audio.hop_length) / 2);
  settings.segment_frames = config.segment_samples / settings.audio.hop_length;
  settings.seed = config.seed;
  settings.precision = precision_of(config.precision);
  settings.reference_padding = config.reference_padding != 0;
  return settings;
}

at::Device device_of(const char* name) {
  const std::string text = name == nullptr ? "auto" : name;
  const int gpus = at::globalContext().hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().deviceCount()) : 0;
  if (text == "cpu") return at::Device(at::kCPU);
  if (text == "auto") return gpus > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  const std::string prefix = "cuda:";
  const bool named = text.compare(0, prefix.size(), prefix) == 0;
  const std::string digits = named ? text.substr(prefix.size()) : std::string();
  VT_CHECK_ARG(text == "cuda" || (named && !digits.empty() && digits.size() <= 3 &&
                                  digits.find_first_not_of("0123456789") == std::string::npos),
               "device is '", text, "'; it must be auto, cpu or cuda:N");
  VT_CHECK_ARG(gpus > 0, "device is '", text, "', but there is no usable GPU here",
               at::globalContext().hasCUDART() ? "" : " (this libtorch is built without CUDA)", "; use cpu or auto");
  const int index = named ? std::stoi(digits) : 0;
  VT_CHECK_ARG(index < gpus, "device is '", text, "', but this machine has ", gpus, " GPU(s), numbered from 0");
  return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
}

void set_threads(int32_t threads) {
  VT_CHECK_ARG(threads >= 0 && threads <= 1024, "threads is ", threads, "; it must be 0 to 1024");
  if (threads > 0) at::set_num_threads(threads);
}

BatchTensors batch_tensors(const vt_batch* batch, const ModelSettings& model, const AudioSettings& audio) {
  VT_CHECK_ARG(batch != nullptr, "batch is NULL");
  check_range("batch.batch_size", batch->batch_size, 1, 1 << 20);
  check_range("batch.max_tokens", batch->max_tokens, 1, 1 << 20);
  check_range("batch.max_samples", batch->max_samples, audio.hop_length, INT32_MAX);
  VT_CHECK_ARG(batch->token_ids_BT != nullptr && batch->token_lengths_B != nullptr && batch->samples_BN != nullptr &&
                   batch->sample_lengths_B != nullptr && batch->utterance_ids_B != nullptr,
               "a buffer of the batch is NULL");
  VT_CHECK_ARG(batch->speaker_ids_B != nullptr || model.speaker_count == 1,
               "batch.speaker_ids_B is NULL, but the model has ", model.speaker_count, " speakers");
  const int64_t size = batch->batch_size, tokens = batch->max_tokens, samples = batch->max_samples;
  for (int64_t b = 0; b < size; ++b) {
    const int64_t token_length = batch->token_lengths_B[b], sample_length = batch->sample_lengths_B[b];
    VT_CHECK_ARG(token_length >= 1 && token_length <= tokens, "batch.token_lengths_B[", b, "] is ", token_length,
                 "; it must be 1 to ", tokens);
    VT_CHECK_ARG(sample_length >= audio.hop_length && sample_length <= samples, "batch.sample_lengths_B[", b, "] is ",
                 sample_length, "; it must be ", audio.hop_length, " to ", samples);
    VT_CHECK_ARG(audio.frames_of(sample_length) >= token_length, "item ", b, " has ", token_length,
                 " symbols, but its recording only ", audio.frames_of(sample_length), " frames");
    for (int64_t t = 0; t < token_length; ++t) {
      const int32_t id = batch->token_ids_BT[b * tokens + t];
      VT_CHECK_ARG(id >= 0 && id < model.vocabulary_size, "batch.token_ids_BT[", b, ",", t, "] is ", id,
                   "; the vocabulary has ", model.vocabulary_size, " symbols");
    }
    if (batch->speaker_ids_B != nullptr) {
      VT_CHECK_ARG(batch->speaker_ids_B[b] >= 0 && batch->speaker_ids_B[b] < model.speaker_count,
                   "batch.speaker_ids_B[", b, "] is ", batch->speaker_ids_B[b], "; the model has ",
                   model.speaker_count, " speakers");
    }
  }
  auto ints = [](const int32_t* data, at::IntArrayRef shape) {
    return at::from_blob(const_cast<int32_t*>(data), shape, at::TensorOptions(at::kInt));
  };
  BatchTensors out;
  out.token_ids_BT = ints(batch->token_ids_BT, {size, tokens});
  out.token_lengths_B = ints(batch->token_lengths_B, {size});
  out.samples_BN = at::from_blob(const_cast<float*>(batch->samples_BN), {size, samples}, at::TensorOptions(at::kFloat));
  out.sample_lengths_B = ints(batch->sample_lengths_B, {size});
  if (model.speaker_count > 1) out.speaker_ids_B = ints(batch->speaker_ids_B, {size});
  out.utterance_ids.assign(batch->utterance_ids_B, batch->utterance_ids_B + size);
  const at::Tensor finite_B = at::isfinite(out.samples_BN).all(1);
  for (int64_t b = 0; b < size; ++b) {
    VT_CHECK_FINITE(finite_B.const_data_ptr<bool>()[b], "the samples of item ", b, " hold NaN or infinity");
  }
  return out;
}

}  // namespace valetts
