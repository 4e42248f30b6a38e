// The decoder for synthesis on the CPU: infer/winograd_decoder where that serves, else oneDNN's convolutions. For those weight
// norm is folded, weights are in the layout that oneDNN wants, channels innermost from one end to the other so that nothing is
// reordered between convolutions, rectifiers and residual sums done by the convolutions themselves, and transposed convolutions
// are ordinary ones with one group of outputs for each phase.
#pragma once

#include <ATen/ATen.h>

#include <memory>

#include "core/precision.h"
#include "model/generator.h"

namespace valetts {

class PackedDecoder {
 public:
  // float32, or bfloat16 between the first convolution and the last, for CPUs that multiply it (has_bf16).
  explicit PackedDecoder(Precision precision = Precision::kFp32);
  ~PackedDecoder();
  PackedDecoder(PackedDecoder&&) noexcept;
  PackedDecoder& operator=(PackedDecoder&&) noexcept;

  // Whether the CPU multiplies bfloat16 (AVX-512 BF16, AMX).
  static bool has_bf16();

  // Whether it can stand in for the generator's decoder: HiFi-GAN's in float32 on the CPU, and a libtorch
  // with oneDNN's fused convolutions.
  static bool serves(const Generator& generator);

  // The generator's decoder(z_BCS, speaker_BG1), equal to 1e-5 of the waveform's range in float32; without gradient. The
  // weights are packed at the first call, and anew when they have changed since.
  at::Tensor operator()(const Generator& generator, const at::Tensor& z_BCS, const at::Tensor& speaker_BG1);

 private:
  at::ScalarType type_;
  struct Packed;
  std::unique_ptr<Packed> packed_;
};

}  // namespace valetts
