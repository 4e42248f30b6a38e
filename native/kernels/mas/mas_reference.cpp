// The plain loops; also the CPU path where there is no faster one. Float32 throughout, not double: the reference's paths depend on its rounding.
#include <algorithm>
#include <vector>

#include "mas/mas_raw.h"

namespace valetts {

void mas_item(const float* score_ST, int64_t tokens, int32_t text_len, int32_t frame_len, int32_t* durations_T) {
  // Two rows of Q with one cell more on the left; a cell not yet reached holds minus infinity.
  std::vector<float> rows(2 * (static_cast<size_t>(text_len) + 1), kMasMinusInfinity);
  float* before = rows.data() + 1;
  float* now = before + text_len + 1;
  // moves[s,t]: the best path into (s,t) comes from t-1.
  std::vector<uint8_t> moves(static_cast<size_t>(frame_len) * static_cast<size_t>(text_len));

  now[0] = score_ST[0] + 0.0f;
  for (int64_t s = 1; s < frame_len; ++s) {
    std::swap(before, now);
    const float* score_T = score_ST + s * tokens;
    uint8_t* moves_T = moves.data() + s * text_len;
    const int64_t first = std::max<int64_t>(0, text_len + s - frame_len);  // from below, the end is out of reach
    const int64_t last = std::min<int64_t>(text_len, s + 1);
    for (int64_t t = first; t < last; ++t) {
      const float stay = before[t];
      const float move = before[t - 1];
      moves_T[t] = stay < move;
      now[t] = score_T[t] + (stay < move ? move : stay);
    }
  }

  std::fill(durations_T, durations_T + tokens, 0);
  int64_t t = text_len - 1;
  for (int64_t s = frame_len - 1; s >= 0; --s) {
    ++durations_T[t];
    if (t != 0 && (t == s || moves[static_cast<size_t>(s * text_len + t)] != 0)) {
      --t;
    }
  }
}

}  // namespace valetts
