// The loss terms of VITS2 (section 2 and VITS section 2), unweighted.
//
// Means are over a whole batch. Where the batch comes in micro-batches, the caller gives what the whole batch counts, and
// the micro-batches' losses (and gradients) add up to the batch's.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace valetts {

// Least-squares adversarial losses (Mao et al. 2017), one term per discriminator; the loss is their sum.
struct DiscriminatorLoss {
  at::Tensor total;
  std::vector<at::Tensor> real_parts;       // mean((1 - D(y))^2)
  std::vector<at::Tensor> generated_parts;  // mean(D(y_hat)^2)
};
// logits: of real audio and, as many items after it, generated audio, which went through in one batch.
DiscriminatorLoss discriminator_loss(const std::vector<at::Tensor>& logits);

struct GeneratorLoss {
  at::Tensor total;
  std::vector<at::Tensor> parts;  // mean((1 - D(y_hat))^2)
};
GeneratorLoss generator_loss(const std::vector<at::Tensor>& generated_logits);

// 2 x sum over the feature maps of all discriminators of mean |real - generated|. `real` carries no gradient.
using FeatureMaps = std::vector<std::vector<at::Tensor>>;  // [discriminator][layer]
at::Tensor feature_matching_loss(const FeatureMaps& real, const FeatureMaps& generated);

// KL divergence of posterior and prior from one posterior sample, nats per frame summed over channels:
//   sum [(logs_p - logs_q - 1/2) + 1/2 (z_p - m_p)^2 exp(-2 logs_p)] mask / frames
// `frames` is a scalar tensor: the whole batch's valid frames.
at::Tensor kl_loss(const at::Tensor& z_p_BCS, const at::Tensor& log_std_q_BCS, const at::Tensor& mean_p_BCS,
                   const at::Tensor& log_std_p_BCS, const at::Tensor& mask_B1S, const at::Tensor& frames);

// Log-likelihood [B,S,T] of each latent frame under each token's prior: what alignment search maximises.
at::Tensor alignment_score_BST(const at::Tensor& z_p_BCS, const at::Tensor& mean_p_BCT,
                               const at::Tensor& log_std_p_BCT);

// The searched score with noise: score + std(score) x noise x scale (VITS2, section 2.2). The deviation (unbiased) is that
// of each utterance's own text and frames, or with `over_padding` that of the whole padded batch, as in the reference.
//   score_BST, noise_BST [B,S,T]; scale a scalar; lengths int64 [B]; all on one device
at::Tensor noisy_score_BST(const at::Tensor& score_BST, const at::Tensor& noise_BST, const at::Tensor& scale,
                           const at::Tensor& token_lengths_B, const at::Tensor& frame_lengths_B, bool over_padding);

// Over what the squares of the duration discriminator's losses are averaged: the whole batch's valid tokens (a scalar
// tensor); or, as in the reference, all positions of this batch, padding included (V2), summed over the items by V1, which
// hands its losses a list of items.
enum class DurationReduction { kValidMean, kPaddedMean, kPaddedMeanSummedOverBatch };
DiscriminatorLoss duration_discriminator_loss(const at::Tensor& real_BT1, const at::Tensor& generated_BT1,
                                              const at::Tensor& mask_B1T, DurationReduction reduction,
                                              const at::Tensor& tokens);
at::Tensor duration_generator_loss(const at::Tensor& generated_BT1, const at::Tensor& mask_B1T,
                                   DurationReduction reduction, const at::Tensor& tokens);

}  // namespace valetts
