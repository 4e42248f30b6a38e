#include "loss/losses.h"

#include <cmath>

#include "core/precision.h"
#include "core/shapes.h"
#include "feature_matching/feature_matching.h"
#include "least_squares/least_squares.h"

namespace valetts {

namespace {

// The scalars of a column.
std::vector<at::Tensor> scalars_of(const at::Tensor& parts_NK, int64_t column) {
  std::vector<at::Tensor> scalars;
  for (const at::Tensor& row : parts_NK.unbind(0)) scalars.push_back(row.select(0, column));
  return scalars;
}

at::Tensor reduced(const at::Tensor& squares_BT1, const at::Tensor& mask_B1T, DurationReduction reduction,
                   const at::Tensor& tokens) {
  switch (reduction) {
    case DurationReduction::kPaddedMean: return squares_BT1.mean();
    case DurationReduction::kPaddedMeanSummedOverBatch: return squares_BT1.flatten(1).mean(1).sum();
    case DurationReduction::kValidMean: break;
  }
  return (squares_BT1 * mask_B1T.transpose(1, 2)).sum() / tokens;
}

}  // namespace

DiscriminatorLoss discriminator_loss(const std::vector<at::Tensor>& logits) {
  const at::Tensor parts_N2 = least_squares(logits, {1.0, 0.0});
  return {parts_N2.sum(), scalars_of(parts_N2, 0), scalars_of(parts_N2, 1)};
}

GeneratorLoss generator_loss(const std::vector<at::Tensor>& generated_logits) {
  const at::Tensor parts_N1 = least_squares(generated_logits, {1.0});
  return {parts_N1.sum(), scalars_of(parts_N1, 0)};
}

at::Tensor feature_matching_loss(const FeatureMaps& real, const FeatureMaps& generated) {
  std::vector<at::Tensor> real_maps, generated_maps;
  for (const std::vector<at::Tensor>& maps : real) real_maps.insert(real_maps.end(), maps.begin(), maps.end());
  for (const std::vector<at::Tensor>& maps : generated) {
    generated_maps.insert(generated_maps.end(), maps.begin(), maps.end());
  }
  return 2.0 * feature_distance(generated_maps, real_maps);
}

at::Tensor kl_loss(const at::Tensor& z_p_BCS, const at::Tensor& log_std_q_BCS, const at::Tensor& mean_p_BCS,
                   const at::Tensor& log_std_p_BCS, const at::Tensor& mask_B1S, const at::Tensor& frames) {
  at::Tensor kl = log_std_p_BCS - log_std_q_BCS - 0.5 +
                  0.5 * at::square(z_p_BCS - mean_p_BCS) * at::exp(-2.0 * log_std_p_BCS);
  return (kl * mask_B1S).sum() / frames;
}

at::Tensor alignment_score_BST(const at::Tensor& z_p_BCS, const at::Tensor& mean_p_BCT,
                               const at::Tensor& log_std_p_BCT) {
  const FullPrecisionIsland island;
  const at::Tensor inverse_variance = at::exp(-2.0 * log_std_p_BCT);
  const at::Tensor z_BSC = z_p_BCS.transpose(1, 2);
  const at::Tensor constant = (-0.5 * std::log(2.0 * M_PI) - log_std_p_BCT).sum(1, true);
  const at::Tensor square = at::matmul(-0.5 * at::square(z_BSC), inverse_variance);
  const at::Tensor cross = at::matmul(z_BSC, mean_p_BCT * inverse_variance);
  const at::Tensor mean_square = (-0.5 * at::square(mean_p_BCT) * inverse_variance).sum(1, true);
  return constant + square + cross + mean_square;
}

at::Tensor noisy_score_BST(const at::Tensor& score_BST, const at::Tensor& noise_BST, const at::Tensor& scale,
                           const at::Tensor& token_lengths_B, const at::Tensor& frame_lengths_B, bool over_padding) {
  if (over_padding) return score_BST + score_BST.std() * noise_BST * scale;
  const at::Tensor valid_BST = length_mask_B1T(frame_lengths_B, score_BST.size(1), score_BST.scalar_type()).transpose(1, 2) *
                               length_mask_B1T(token_lengths_B, score_BST.size(2), score_BST.scalar_type());
  const at::Tensor count_B11 = valid_BST.sum({1, 2}, true);
  const at::Tensor mean_B11 = (score_BST * valid_BST).sum({1, 2}, true) / count_B11;
  const at::Tensor variance_B11 =
      at::square((score_BST - mean_B11) * valid_BST).sum({1, 2}, true) / (count_B11 - 1).clamp_min(1);
  return score_BST + variance_B11.sqrt() * noise_BST * scale;
}

DiscriminatorLoss duration_discriminator_loss(const at::Tensor& real_BT1, const at::Tensor& generated_BT1,
                                              const at::Tensor& mask_B1T, DurationReduction reduction,
                                              const at::Tensor& tokens) {
  DiscriminatorLoss loss;
  loss.real_parts.push_back(reduced(at::square(1.0 - real_BT1), mask_B1T, reduction, tokens));
  loss.generated_parts.push_back(reduced(at::square(generated_BT1), mask_B1T, reduction, tokens));
  loss.total = loss.real_parts.front() + loss.generated_parts.front();
  return loss;
}

at::Tensor duration_generator_loss(const at::Tensor& generated_BT1, const at::Tensor& mask_B1T,
                                   DurationReduction reduction, const at::Tensor& tokens) {
  return reduced(at::square(1.0 - generated_BT1), mask_B1T, reduction, tokens);
}

}  // namespace valetts
