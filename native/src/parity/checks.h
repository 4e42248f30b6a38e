// The checks of the single sets; parity.cpp chooses among them.
#pragma once

#include "parity/fixture.h"
#include "parity/parity.h"

namespace valetts {

void check_spectrogram(const Fixture& fixture, const ParityRequest& request, ParityReport& report);
void check_encoder(const Fixture& fixture, const ParityRequest& request, ParityReport& report);
void check_flows(const Fixture& fixture, const ParityRequest& request, ParityReport& report);
void check_spline(const Fixture& fixture, const ParityRequest& request, ParityReport& report);
void check_alignment(const Fixture& fixture, const ParityRequest& request, ParityReport& report);
void check_duration_discriminators(const Fixture& fixture, const ParityRequest& request, ParityReport& report);
void check_full_size(const Fixture& fixture, const ParityRequest& request, ParityReport& report);
void check_step(const Fixture& fixture, const ParityRequest& request, ParityReport& report);

// Feature maps are recorded by their shapes, sums and sums of magnitudes: <prefix>.<discriminator>.<layer>.{...}.
void compare_feature_maps(const Fixture& fixture, const std::string& prefix, const FeatureMaps& maps,
                          ParityReport& report);

// Recorded draws by name; no dropout.
class RecordedNoise : public NoiseSource {
 public:
  // names: stream and the tensor that holds its draw.
  RecordedNoise(const Fixture& fixture, std::vector<std::pair<NoiseStream, std::string>> names)
      : fixture_(fixture), names_(std::move(names)) {}
  at::Tensor normal_BCT(NoiseStream stream, int64_t channels, int64_t time) override;
  at::Tensor uniform_B(NoiseStream stream) override;
  at::Tensor keep_mask_BCT(uint32_t, int64_t, int64_t, double) override { return {}; }

 private:
  at::Tensor draw(NoiseStream stream) const;

  const Fixture& fixture_;
  std::vector<std::pair<NoiseStream, std::string>> names_;
};

}  // namespace valetts
