// The plain loops that the vectorised rows and the CUDA kernels are checked against.
#include <algorithm>
#include <cmath>
#include <vector>

#include "attention/attention_raw.h"

namespace valetts {

void attention_row(const AttentionShape& shape, int64_t t, const float* scores_T, const float* band_W, const float* mask_T,
                   const float* keep_T, float* p_T, float* weights_T, float* diagonals_W) {
  const int64_t time = shape.time, window = shape.window;
  std::vector<double> logits(static_cast<size_t>(time));
  double largest = -INFINITY;
  for (int64_t s = 0; s < time; ++s) {
    double logit = scores_T[s];
    if (band_W != nullptr && std::abs(s - t) <= window) logit += band_W[s - t + window];
    logit *= shape.scale;
    if (mask_T[t] == 0.0f || mask_T[s] == 0.0f) logit = kMaskedLogit;
    logits[static_cast<size_t>(s)] = logit;
    largest = std::max(largest, logit);
  }
  double total = 0.0;
  for (double& logit : logits) {
    logit = std::exp(logit - largest);
    total += logit;
  }
  for (int64_t s = 0; s < time; ++s) {
    const double p = logits[static_cast<size_t>(s)] / total;
    p_T[s] = static_cast<float>(p);
    weights_T[s] = static_cast<float>(keep_T == nullptr ? p : p * keep_T[s]);
  }
  if (diagonals_W == nullptr) return;
  for (int64_t j = 0; j <= 2 * window; ++j) {
    const int64_t s = t + j - window;
    diagonals_W[j] = s >= 0 && s < time ? weights_T[s] : 0.0f;
  }
}

void attention_backward_row(const AttentionShape& shape, int64_t t, const float* p_T, const float* mask_T, const float* keep_T,
                            const float* grad_weights_T, const float* grad_diagonals_W, float* grad_scores_T,
                            float* grad_band_W) {
  const int64_t time = shape.time, window = shape.window;
  std::vector<double> grad_p(static_cast<size_t>(time));
  double dot = 0.0;
  for (int64_t s = 0; s < time; ++s) {
    double grad = grad_weights_T == nullptr ? 0.0 : grad_weights_T[s];
    if (grad_diagonals_W != nullptr && std::abs(s - t) <= window) grad += grad_diagonals_W[s - t + window];
    if (keep_T != nullptr) grad *= keep_T[s];
    grad_p[static_cast<size_t>(s)] = grad;
    dot += grad * p_T[s];
  }
  for (int64_t s = 0; s < time; ++s) {
    const bool valid = mask_T[t] != 0.0f && mask_T[s] != 0.0f;
    grad_scores_T[s] = static_cast<float>(valid ? p_T[s] * (grad_p[static_cast<size_t>(s)] - dot) * shape.scale : 0.0);
  }
  if (grad_band_W == nullptr) return;
  for (int64_t j = 0; j <= 2 * window; ++j) {
    const int64_t s = t + j - window;
    grad_band_W[j] = s >= 0 && s < time ? grad_scores_T[s] : 0.0f;
  }
}

}  // namespace valetts
