// Alignment search on raw pointers: what the tensor face (mas.h), the CUDA check without torch and the kernels share.
// The contract, formula and tie rule are in mas.h.
#pragma once

#include <cstdint>

namespace valetts {

constexpr float kMasMinusInfinity = -1e9f;  // the reference's; a score below it is treated as the reference does
constexpr int64_t kMasCudaMaxTokens = 4096;

// One item on the CPU: the plain loops.
// score_ST     [frame_len or more rows, row stride `tokens`];  1 <= text_len <= frame_len, text_len <= tokens
// durations_T  [tokens], written whole
void mas_item(const float* score_ST, int64_t tokens, int32_t text_len, int32_t frame_len, int32_t* durations_T);

// The same, with this processor's vector instructions where there is a version for them; the same durations.
void mas_item_fast(const float* score_ST, int64_t tokens, int32_t text_len, int32_t frame_len, int32_t* durations_T);

// A batch on the GPU; every pointer is device memory. Returns null, or what is wrong. Lengths out of range give durations
// without meaning; nothing outside of the arrays is touched.
// text_len_B, frame_len_B  int32 [B]
// scratch                  mas_cuda_scratch_bytes, null if those are 0
// stream                   a cudaStream_t
const char* mas_cuda(const float* score_BST, const int32_t* text_len_B, const int32_t* frame_len_B, int64_t batch,
                     int64_t frames, int64_t tokens, void* scratch, int32_t* durations_BT, void* stream);

// Device memory for a call on the present device: 0 where a block's shared memory holds the directions of an item.
int64_t mas_cuda_scratch_bytes(int64_t batch, int64_t frames, int64_t tokens);

}  // namespace valetts
