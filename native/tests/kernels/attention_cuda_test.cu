// The GPU's attention weights against the plain loops, without torch.
#include "attention/attention_raw.h"
#include "kernel_checks.cuh"

namespace {

using namespace valetts;

void check(const AttentionShape& shape, bool dropped) {
  const int64_t rows = shape.batch * shape.heads * shape.time, size = rows * shape.time, width = 2 * shape.window + 1;
  const bool windowed = shape.window > 0;
  const std::vector<float> scores = values(size, 1), band = values(rows * width, 2), grad = values(size, 3);
  const std::vector<float> grad_diagonals = values(rows * width, 4), mask = mask_values(shape.batch * shape.time, 5);
  std::vector<float> keep = mask_values(size, 6);
  for (float& value : keep) value *= 1.25f;
  std::vector<float> p(scores.size()), weights(scores.size()), diagonals(band.size()), grad_scores(scores.size()),
      grad_band(band.size());
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t t = row % shape.time, head = row / shape.time % shape.heads, item = row / (shape.time * shape.heads);
    const float* mask_T = &mask[item * shape.time];
    const float* keep_T = dropped ? &keep[((item * shape.time + t) * shape.heads + head) * shape.time] : nullptr;
    const int64_t at = row * shape.time, in_band = row * width;
    attention_row(shape, t, &scores[at], windowed ? &band[in_band] : nullptr, mask_T, keep_T, &p[at], &weights[at],
                  windowed ? &diagonals[in_band] : nullptr);
    attention_backward_row(shape, t, &p[at], mask_T, keep_T, &grad[at], windowed ? &grad_diagonals[in_band] : nullptr,
                           &grad_scores[at], windowed ? &grad_band[in_band] : nullptr);
  }
  const OnDevice<float> device_scores(scores), device_band(band), device_mask(mask), device_keep(keep), device_grad(grad),
      device_grad_diagonals(grad_diagonals);
  const std::vector<float> untouched(scores.size(), -7.0f), untouched_band(band.size(), -7.0f);
  const OnDevice<float> to_p(untouched), to_weights(untouched), to_diagonals(untouched_band), to_scores(untouched),
      to_band(untouched_band);
  const float* of_keep = dropped ? device_keep.data() : nullptr;
  launched(attention_cuda(shape, device_scores.data(), windowed ? device_band.data() : nullptr, device_mask.data(), of_keep,
                          to_p.data(), dropped ? to_weights.data() : to_p.data(), windowed ? to_diagonals.data() : nullptr,
                          nullptr));
  const std::string size_of = " B=" + std::to_string(shape.batch) + " T=" + std::to_string(shape.time) +
                              (windowed ? " with a window" : "") + (dropped ? " with dropout" : "");
  compare("p" + size_of, to_p.values(), p, 2e-6);
  compare("weights" + size_of, dropped ? to_weights.values() : to_p.values(), weights, 2e-6);
  if (windowed) compare("diagonals" + size_of, to_diagonals.values(), diagonals, 2e-6);
  launched(attention_backward_cuda(shape, to_p.data(), device_mask.data(), of_keep, device_grad.data(),
                                   windowed ? device_grad_diagonals.data() : nullptr, to_scores.data(),
                                   windowed ? to_band.data() : nullptr, nullptr));
  compare("scores' gradient" + size_of, to_scores.values(), grad_scores, 1e-5);
  if (windowed) compare("band's gradient" + size_of, to_band.values(), grad_band, 1e-5);
}

}  // namespace

int main() {
  if (const int status = without_gpu()) return status;
  int points = 0;
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
      if (batch * time > 4000) continue;
      for (const int64_t window : {0, 4}) {
        for (const bool dropped : {false, true}) {
          check({batch, 2, time, window, 0.7f}, dropped);
          ++points;
        }
      }
    }
  }
  std::printf("attention: %d grid points, %d failures\n", points, failures);
  return failures == 0 ? 0 : 1;
}
