// Text encoder and posterior encoder (VITS section 2.2; speaker condition and mel input from VITS2 sections 2.4, 2.1).
#pragma once

#include "model/layers.h"
#include "model/settings.h"

namespace valetts {

struct TextEncoding {
  at::Tensor hidden_BHT;
  at::Tensor mean_BCT;     // m_p at token rate
  at::Tensor log_std_BCT;  // logs_p at token rate
  at::Tensor mask_B1T;
};

class TextEncoder {
 public:
  TextEncoder() = default;
  TextEncoder(ParameterStore& store, const std::string& name, const ModelSettings& settings);
  // token_ids_BT int64; lengths_B int64; speaker_BG1 may be undefined.
  TextEncoding operator()(const at::Tensor& token_ids_BT, const at::Tensor& lengths_B, const at::Tensor& speaker_BG1,
                          const Pass& pass) const;

 private:
  int64_t hidden_ = 0;
  int64_t inter_ = 0;
  at::Tensor embedding_;
  TransformerEncoder encoder_;
  Conv1d projection_;
};

struct PosteriorEncoding {
  at::Tensor z_BCS;
  at::Tensor mean_BCS;
  at::Tensor log_std_BCS;
  at::Tensor mask_B1S;
};

class PosteriorEncoder {
 public:
  PosteriorEncoder() = default;
  PosteriorEncoder(ParameterStore& store, const std::string& name, const ModelSettings& settings);
  // spectrogram [B, bins, S]; lengths_B int64.
  PosteriorEncoding operator()(const at::Tensor& spectrogram, const at::Tensor& lengths_B,
                               const at::Tensor& speaker_BG1, NoiseSource& noise) const;

 private:
  int64_t inter_ = 0;
  Conv1d pre_;
  WaveNet wavenet_;
  Conv1d projection_;
};

}  // namespace valetts
