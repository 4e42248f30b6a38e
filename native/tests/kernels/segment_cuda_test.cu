// The GPU's segments against the plain loops, without torch: the same bits.
#include "kernel_checks.cuh"
#include "segment/segment_raw.h"

namespace {

using namespace valetts;

void check(const SegmentShape& shape) {
  const std::vector<float> z = values(shape.batch * shape.channels * shape.time, 1);
  const std::vector<float> mel = values(shape.batch * shape.mel_bins * shape.time, 2);
  const std::vector<float> samples = values(shape.batch * shape.samples, 3), silence = values(shape.mel_bins, 4);
  const std::vector<float> grad = values(shape.batch * shape.channels * shape.frames, 5);
  std::vector<int64_t> lengths, starts(static_cast<size_t>(shape.batch));
  std::vector<float> uniform;
  for (int64_t b = 0; b < shape.batch; ++b) {
    lengths.push_back(std::max<int64_t>(1, shape.time - 3 * b));
    uniform.push_back(static_cast<float>(b % 5) / 5.0f + 0.19f);
  }
  std::vector<float> out_z(grad.size()), out_mel(static_cast<size_t>(shape.batch * shape.mel_bins * shape.frames)),
      out_samples(static_cast<size_t>(shape.batch * shape.frames * shape.hop)), grad_z(z.size());
  for (int64_t item = 0; item < shape.batch; ++item) {
    segment_item(shape, item, {z.data(), mel.data(), samples.data(), silence.data(), lengths.data(), uniform.data()},
                 {starts.data(), out_z.data(), out_mel.data(), out_samples.data()});
    segment_backward_item(shape, item, starts.data(), grad.data(), grad_z.data());
  }
  const OnDevice<float> device_z(z), device_mel(mel), device_samples(samples), device_silence(silence), device_uniform(uniform),
      device_grad(grad);
  const OnDevice<int64_t> device_lengths(lengths), to_starts(std::vector<int64_t>(lengths.size(), -7));
  const OnDevice<float> to_z(std::vector<float>(out_z.size(), -7.0f)), to_mel(std::vector<float>(out_mel.size(), -7.0f)),
      to_samples(std::vector<float>(out_samples.size(), -7.0f)), to_grad(std::vector<float>(z.size(), -7.0f));
  launched(segment_cuda(shape,
                        {device_z.data(), device_mel.data(), device_samples.data(), device_silence.data(),
                         device_lengths.data(), device_uniform.data()},
                        {to_starts.data(), to_z.data(), to_mel.data(), to_samples.data()}, nullptr));
  launched(segment_backward_cuda(shape, to_starts.data(), device_grad.data(), to_grad.data(), nullptr));
  const std::string size = " B=" + std::to_string(shape.batch) + " S=" + std::to_string(shape.time);
  compare("latent" + size, to_z.values(), out_z, 0.0);
  compare("mel" + size, to_mel.values(), out_mel, 0.0);
  compare("samples" + size, to_samples.values(), out_samples, 0.0);
  compare("latent's gradient" + size, to_grad.values(), grad_z, 0.0);
  if (to_starts.values() != starts) {
    std::printf("FAILED: starts%s\n", size.c_str());
    ++failures;
  }
}

}  // namespace

int main() {
  if (const int status = without_gpu()) return status;
  int points = 0;
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
      for (const int64_t frames : {1, 8, 32}) {
        check({batch, 5, 4, time, time * 3 + 1, frames, 3});
        ++points;
      }
    }
  }
  std::printf("segment: %d grid points, %d failures\n", points, failures);
  return failures == 0 ? 0 : 1;
}
