#include "segment/segment.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <limits>

#include "core/check.h"
#include "kernels/gradient_checks.h"

namespace valetts {
namespace {

using namespace testing;

constexpr int64_t kHop = 3;

struct Inputs {
  at::Tensor mel, samples, silence, lengths, uniform;
};

// Ragged items, the last of one frame.
Inputs inputs_of(int64_t batch, int64_t time) {
  Inputs in{normal(batch, 4, time, 1), normal(batch, 1, time * kHop + 1, 2), normal(1, 4, 1, 3).view({4}),
            at::empty({batch}, at::kLong), at::empty({batch})};
  for (int64_t b = 0; b < batch; ++b) {
    in.lengths[b] = std::max<int64_t>(1, time - b * (time / batch + 1));
    in.uniform[b] = static_cast<float>(b % 4) / 4.0f + 0.2f;
  }
  in.uniform[batch - 1] = std::nextafter(1.0f, 0.0f);
  return in;
}

Call segments_of(const Inputs& in, int64_t frames) {
  return [in, frames](const std::vector<at::Tensor>& z) {
    const at::ScalarType type = z[0].scalar_type();
    Segments out = gather_segments(z[0], in.mel.to(type), in.samples.to(type), in.silence.to(type), in.lengths,
                                   in.uniform.to(type), frames, kHop);
    return std::vector<at::Tensor>{out.z_BCL, out.mel_BML, out.samples_B1N, out.starts_B.to(type)};
  };
}

}  // namespace

TEST_SUITE_BEGIN("kernels/segment");

TEST_CASE("segments equal libtorch's operations bit for bit, gradients included, at every length") {
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
      for (const int64_t frames : {1, 8, 32}) {
        CAPTURE(batch);
        CAPTURE(time);
        CAPTURE(frames);
        check_against_plain(segments_of(inputs_of(batch, time), frames), {normal(batch, 5, time, time)}, 0.0);
      }
    }
  }
}

TEST_CASE("a segment lies within its item, and what it misses is silence") {
  const Inputs in = inputs_of(6, 50);
  const at::Tensor z = normal(6, 5, 50, 1);
  const Segments out = gather_segments(z, in.mel, in.samples, in.silence, in.lengths, in.uniform, 8, kHop);
  CHECK((out.starts_B.ge(0) & (out.starts_B + 8).le(in.lengths.clamp_min(8))).all().item<bool>());
  for (int64_t b = 0; b < 6; ++b) {
    const int64_t start = out.starts_B[b].item<int64_t>();
    VT_CHECK_SAME_BITS(out.z_BCL[b], z[b].narrow(1, start, 8).contiguous());
    VT_CHECK_SAME_BITS(out.samples_B1N[b], in.samples[b].narrow(1, start * kHop, 8 * kHop).contiguous());
  }
  const Inputs brief = inputs_of(1, 3);
  const Segments padded = gather_segments(normal(1, 5, 3, 1), brief.mel, brief.samples, brief.silence, brief.lengths,
                                          brief.uniform, 8, kHop);
  CHECK_EQ(padded.z_BCL.narrow(2, 3, 5).abs().max().item<float>(), 0.0f);
  VT_CHECK_SAME_BITS(padded.mel_BML[0].narrow(1, 3, 5).contiguous(), brief.silence.unsqueeze(1).expand({4, 5}).contiguous());
}

TEST_CASE("gradients in float64 agree with differences") {
  check_differences(segments_of(inputs_of(3, 9), 4), {normal(3, 2, 9, 4)});
}

TEST_CASE("one and two threads give the same bits, inputs unchanged; another layout is served") {
  const Inputs in = inputs_of(8, 200);
  const at::Tensor z = normal(8, 5, 200, 5), before = z.clone();
  check_threads(segments_of(in, 32), {z});
  VT_CHECK_SAME_BITS(z, before);
  VT_CHECK_SAME_BITS(segments_of(in, 32)({z.transpose(1, 2).contiguous().transpose(1, 2)})[0], segments_of(in, 32)({z})[0]);
}

TEST_CASE("wrong shapes are refused") {
  const Inputs in = inputs_of(2, 10);
  const at::Tensor z = at::zeros({2, 5, 10});
  CHECK_THROWS_AS(gather_segments(at::zeros({2, 5, 11}), in.mel, in.samples, in.silence, in.lengths, in.uniform, 4, 1), Error);
  CHECK_THROWS_AS(gather_segments(z, in.mel, in.samples, at::zeros({3}), in.lengths, in.uniform, 4, 1), Error);
  CHECK_THROWS_AS(gather_segments(z, in.mel, in.samples, in.silence, in.lengths, at::zeros({3}), 4, 1), Error);
  CHECK_THROWS_AS(gather_segments(z, in.mel, in.samples, in.silence, in.lengths, in.uniform, 0, 1), Error);
}

TEST_SUITE_END();

}  // namespace valetts
