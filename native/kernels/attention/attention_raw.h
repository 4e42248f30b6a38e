// Attention weights on raw pointers. Formulas and shapes are in attention.h.
#pragma once

#include <cstdint>

namespace valetts {

constexpr float kMaskedLogit = -1e4f;

struct AttentionShape {
  int64_t batch;
  int64_t heads;
  int64_t time;
  int64_t window;  // 0: no positions
  float scale;
};

// The row of query `t` of one item and head on the CPU. band_W, keep_T and diagonals_W may be null; weights_T may be p_T where
// keep_T is null.
// The plain loops, in double.
void attention_row(const AttentionShape& shape, int64_t t, const float* scores_T, const float* band_W, const float* mask_T,
                   const float* keep_T, float* p_T, float* weights_T, float* diagonals_W);
// From the gradients of weights and diagonals, either of which may be null, those of scores and band. grad_band_W may be null.
void attention_backward_row(const AttentionShape& shape, int64_t t, const float* p_T, const float* mask_T, const float* keep_T,
                            const float* grad_weights_T, const float* grad_diagonals_W, float* grad_scores_T,
                            float* grad_band_W);

// The same in float32, vectorised: p within 2e-6 of 1, NaN where the row holds one.
void attention_row_fast(const AttentionShape& shape, int64_t t, const float* scores_T, const float* band_W,
                        const float* mask_T, const float* keep_T, float* p_T, float* weights_T, float* diagonals_W);
void attention_backward_row_fast(const AttentionShape& shape, int64_t t, const float* p_T, const float* mask_T,
                                 const float* keep_T, const float* grad_weights_T, const float* grad_diagonals_W,
                                 float* grad_scores_T, float* grad_band_W);

// On a CUDA device; every pointer is contiguous device memory, with the same that may be null. Each returns null, or what is
// wrong. `stream` is a cudaStream_t.
const char* attention_cuda(const AttentionShape& shape, const float* scores_BhTT, const float* band_BhTW, const float* mask_BT,
                           const float* keep_BThT, float* p_BhTT, float* weights_BhTT, float* diagonals_BhTW, void* stream);
const char* attention_backward_cuda(const AttentionShape& shape, const float* p_BhTT, const float* mask_BT,
                                    const float* keep_BThT, const float* grad_weights_BhTT, const float* grad_diagonals_BhTW,
                                    float* grad_scores_BhTT, float* grad_band_BhTW, void* stream);

}  // namespace valetts
