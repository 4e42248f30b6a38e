// Alignment search at the shapes of the goals and at a usual batch.
#include "mas/mas.h"

#include "compare.h"

namespace valetts {

std::vector<Comparison> mas_comparisons() {
  std::vector<Comparison> comparisons;
  for (const auto& [batch, tokens, frames] :
       {std::array<int64_t, 3>{32, 200, 800}, {64, 400, 1600}, {32, 60, 215}, {64, 120, 430}}) {
    const at::Tensor score = at::randn({batch, frames, tokens});
    const at::Tensor text_len_B = at::full({batch}, tokens, at::kInt);
    const at::Tensor frame_len_B = at::full({batch}, frames, at::kInt);
    comparisons.push_back({"mas", c10::str(batch, "x", tokens, "x", frames), 0.0, [=] {
                             return std::vector<at::Tensor>{mas_path(score, text_len_B, frame_len_B)};
                           }});
  }
  return comparisons;
}

}  // namespace valetts
