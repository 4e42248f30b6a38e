// From the border's plain structs to the core's settings, with every field checked and named.
#pragma once

#include <ATen/ATen.h>

#include "train/trainer.h"
#include "valetts/valetts.h"

namespace valetts {

AudioSettings audio_settings(const vt_audio_config& audio);
ModelSettings model_settings(const vt_model_config& model, const AudioSettings& audio);
// Errors: INVALID_ARGUMENT for a value that is not vt_precision's.
Precision precision_of(int32_t precision);
TrainerSettings trainer_settings(const vt_session_config& config);

// "auto", "cpu", "cuda:N". Errors: INVALID_ARGUMENT when the device is not there.
at::Device device_of(const char* name);
// Applies threads > 0 to the process.
void set_threads(int32_t threads);

// A batch's tensors; samples and ids are views of the caller's memory.
struct BatchTensors {
  at::Tensor token_ids_BT;
  at::Tensor token_lengths_B;
  at::Tensor samples_BN;
  at::Tensor sample_lengths_B;
  at::Tensor speaker_ids_B;  // undefined with one speaker
  std::vector<int64_t> utterance_ids;
};
// Errors: INVALID_ARGUMENT naming the field and the item.
BatchTensors batch_tensors(const vt_batch* batch, const ModelSettings& model, const AudioSettings& audio);

}  // namespace valetts
