// The decoder's segments at the sizes of base.yaml, forward and backward.
#include "segment/segment.h"

#include <torch/csrc/autograd/autograd.h>

#include "compare.h"

namespace valetts {

std::vector<Comparison> segment_comparisons() {
  std::vector<Comparison> comparisons;
  for (const int64_t batch : {4, 32}) {
    constexpr int64_t kTime = 436, kFrames = 32, kHop = 256;
    const at::Tensor z = at::randn({batch, 192, kTime}).set_requires_grad(true), weights = at::randn({batch, 192, kFrames});
    const at::Tensor mel = at::randn({batch, 80, kTime}), samples = at::randn({batch, 1, kTime * kHop});
    const at::Tensor silence = at::randn({80}), lengths = at::full({batch}, kTime, at::kLong), uniform = at::rand({batch});
    comparisons.push_back({"segment", c10::str(batch, "x192x", kTime), 0.0, [=] {
                             const Segments cut = gather_segments(z, mel, samples, silence, lengths, uniform, kFrames, kHop);
                             std::vector<at::Tensor> out = torch::autograd::grad({cut.z_BCL}, {z}, {weights});
                             out.insert(out.end(), {cut.z_BCL, cut.mel_BML, cut.samples_B1N});
                             return out;
                           }});
  }
  return comparisons;
}

}  // namespace valetts
