// Alignment search on the CPU, eight tokens at a time: one row of Q that stays in the first-level cache, one bit of
// direction a cell. The same additions and comparisons as the plain loops, so the same paths, ties and NaN included.
#include <algorithm>
#include <memory>
#include <vector>

#include "mas/mas_raw.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define VT_HAS_AVX2_VARIANT 1
#else
#define VT_HAS_AVX2_VARIANT 0
#endif

namespace valetts {

#if VT_HAS_AVX2_VARIANT
namespace {

constexpr int64_t kLanes = 8;

// Cells left of the band and right of the text are computed with the rest of their vector. Neither reaches a cell that
// counts: a cell depends only on itself and its left neighbour of the row before, which lies in that row's band. Cells
// right of the diagonal do count, as minus infinity, and are put back after each row.
__attribute__((target("avx2"))) void mas_item_avx2(const float* score_ST, int64_t tokens, int32_t text_len,
                                                   int32_t frame_len, int32_t* durations_T) {
  const int64_t vectors = (text_len + kLanes - 1) / kLanes;
  std::vector<float> row(static_cast<size_t>((vectors + 2) * kLanes), kMasMinusInfinity);
  float* q = row.data() + kLanes;
  const auto moves = std::make_unique_for_overwrite<uint8_t[]>(static_cast<size_t>(frame_len * vectors));
  const int64_t whole = text_len / kLanes;  // vectors without a cell beyond the text
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i tail = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(text_len - whole * kLanes)), lane);
  const __m256 lowest = _mm256_set1_ps(kMasMinusInfinity);

  q[0] = score_ST[0] + 0.0f;
  for (int64_t s = 1; s < frame_len; ++s) {
    const float* score_T = score_ST + s * tokens;
    uint8_t* moves_V = moves.get() + s * vectors;
    const int64_t first = std::max<int64_t>(0, text_len + s - frame_len) / kLanes;
    const int64_t last = std::min<int64_t>(text_len - 1, s) / kLanes;
    __m256 left = _mm256_loadu_ps(q + (first - 1) * kLanes);
    for (int64_t v = first; v <= last; ++v) {
      const __m256 stay = _mm256_loadu_ps(q + v * kLanes);
      const __m256 joined = _mm256_permute2f128_ps(left, stay, 0x21);
      const __m256 move = _mm256_castsi256_ps(
          _mm256_alignr_epi8(_mm256_castps_si256(stay), _mm256_castps_si256(joined), 12));
      const __m256 score = v < whole ? _mm256_loadu_ps(score_T + v * kLanes)
                                     : _mm256_maskload_ps(score_T + v * kLanes, tail);
      moves_V[v] = static_cast<uint8_t>(_mm256_movemask_ps(_mm256_cmp_ps(stay, move, _CMP_LT_OQ)));
      // Its second operand if they are equal or one is NaN: to stay.
      _mm256_storeu_ps(q + v * kLanes, _mm256_add_ps(score, _mm256_max_ps(move, stay)));
      left = stay;
    }
    if (s + 1 < text_len) {
      _mm256_storeu_ps(q + s + 1, lowest);
    }
  }

  std::fill(durations_T, durations_T + tokens, 0);
  int64_t t = text_len - 1;
  int32_t duration = 0;
  for (int64_t s = frame_len - 1; s >= 0; --s) {
    ++duration;
    if (t != 0 && (t == s || ((moves[static_cast<size_t>(s * vectors + t / kLanes)] >> (t % kLanes)) & 1) != 0)) {
      durations_T[t] = duration;
      duration = 0;
      --t;
    }
  }
  durations_T[t] = duration;
}

}  // namespace
#endif

void mas_item_fast(const float* score_ST, int64_t tokens, int32_t text_len, int32_t frame_len, int32_t* durations_T) {
#if VT_HAS_AVX2_VARIANT
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (has_avx2) {
    mas_item_avx2(score_ST, tokens, text_len, frame_len, durations_T);
    return;
  }
#endif
  mas_item(score_ST, tokens, text_len, frame_len, durations_T);
}

}  // namespace valetts
