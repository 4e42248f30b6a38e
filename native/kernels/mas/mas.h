// Monotonic alignment search: the most likely monotone path of text tokens over spectrogram frames.
//   Q[s,t] = score[s,t] + max(Q[s-1,t], Q[s-1,t-1])   within the band of states from which the end can be reached
// Walking back from the last token of the last frame, the path moves to the previous token only if Q[s-1,t] <
// Q[s-1,t-1] strictly, or if it must (t == s): ties stay. Sums are float32 in this order, so the path equals the
// reference's bit for bit.
// Source: Glow-TTS (arXiv:2005.11129), section 2; tie rule of github.com/jaywalnut310/vits, monotonic_align.
//
// Layout: score is [B,S,T], tokens innermost, which is how the likelihood matrix is computed and how the recurrence
// runs: a frame's row depends only on the row before, so tokens are worked on side by side.
#pragma once

#include <ATen/core/Tensor.h>

namespace valetts {

// score_BST    float32 [B,S,T], contiguous, log-likelihood in nats; any device; not modified, no gradient
// text_len_B   int32 or int64 [B], 1..T;  frame_len_B the same, text_len..S; any device
// Returns durations_BT: int32 [B,T] on the score's device: frames of each token, at least 1 for each valid token, 0 for
// padding; the sum over an item is its frame_len.
// A score and lengths on a CUDA device use the CUDA kernel where the core has one, else the host's. Lengths on a CUDA device
// are not looked at, which would wait for the device: whoever put them there has checked them.
// Errors: INVALID_ARGUMENT for a wrong shape, type or layout, and for text_len > frame_len (names the item).
at::Tensor mas_path(const at::Tensor& score_BST, const at::Tensor& text_len_B, const at::Tensor& frame_len_B);

// The 0/1 path of given durations: path[b,s,t] = 1 where token t covers frame s. float32 [B,frames,T] on the durations'
// device. durations_BT: any integer or floating type holding whole numbers >= 0; frames beyond `frames` are cut.
at::Tensor expand_durations_BST(const at::Tensor& durations_BT, int64_t frames);

// The token that covers each frame: int64 [B,frames]; frames past an item's end get its last token with a duration.
// For expanding by gather instead of by a product with the path.
at::Tensor token_of_frame_BS(const at::Tensor& durations_BT, int64_t frames);

}  // namespace valetts
