#include "infer/winograd_decoder.h"

#include <ATen/Parallel.h>

#include <algorithm>

namespace valetts {

namespace {

// Samples of a stage that one thread takes through all its blocks, so that what lies between the convolutions stays in the
// cache. What neighbouring pieces compute twice is an eighth of it at most.
constexpr int64_t kPieceSamples = 1024;
// Shorter signals go through the blocks whole, and the threads share each convolution.
constexpr int64_t kLeastPieces = 8;

bool is_served(const FoldedConv& conv) {
  return WinogradConv::serves(conv.weight.size(2), conv.options.dilation, conv.options.padding);
}

WinogradConv fast(const FoldedConv& conv) {
  return {conv.weight, conv.bias, conv.options.dilation, conv.options.padding};
}

// Sample n = rate t + p of a transposed convolution takes input t + m with tap p + padding - m rate. Phases p that follow one
// another and share two inputs make one ordinary convolution with a group of outputs for each.
std::vector<FoldedConv> phases_of(const FoldedConv& conv) {
  const int64_t in = conv.weight.size(0), out = conv.weight.size(1), taps = conv.weight.size(2);
  const int64_t rate = conv.options.stride, padding = conv.options.padding;
  const auto first_of = [&](int64_t phase) {
    const int64_t beyond = phase + padding - taps + 1;  // over rate, rounded up
    return beyond >= 0 ? (beyond + rate - 1) / rate : -(-beyond / rate);
  };
  const auto last_of = [&](int64_t phase) { return (phase + padding) / rate; };
  std::vector<FoldedConv> convs;
  for (int64_t begin = 0, end = 0; begin < rate; begin = end) {
    int64_t first = first_of(begin), last = std::max(first + 1, last_of(begin));
    for (end = begin + 1; end < rate && first_of(end) >= first && last_of(end) <= last;) ++end;
    at::Tensor weight_POIM = at::zeros({end - begin, out, in, last - first + 1}, conv.weight.options().requires_grad(false));
    for (int64_t phase = begin; phase < end; ++phase) {
      for (int64_t m = first_of(phase); m <= last_of(phase); ++m) {
        weight_POIM.select(0, phase - begin).select(2, m - first).copy_(conv.weight.select(2, phase + padding - m * rate).t());
      }
    }
    convs.push_back({weight_POIM.view({(end - begin) * out, in, last - first + 1}), conv.bias.repeat({end - begin}),
                     {.padding = -first}});
  }
  return convs;
}

// Samples [begin, end) of a signal; `data` is where sample 0 is or would be.
struct Stretch {
  float* data;
  int64_t begin, end;
};

}  // namespace

bool WinogradDecoder::serves(const FoldedDecoder& folded) {
  if (winograd_vectors() == WinogradVectors::kNone || !is_served(folded.post)) return false;
  for (const FoldedConv& upsample : folded.upsamples) {
    const std::vector<FoldedConv> phases = phases_of(upsample);
    if (!std::all_of(phases.begin(), phases.end(), is_served)) return false;
  }
  return std::all_of(folded.blocks.begin(), folded.blocks.end(), [](const FoldedDecoder::Block& block) {
    return std::all_of(block.first.begin(), block.first.end(), is_served) &&
           std::all_of(block.second.begin(), block.second.end(), is_served);
  });
}

WinogradDecoder::WinogradDecoder(const FoldedDecoder& folded, size_t kernels)
    : pre_(folded.pre), condition_(folded.condition), post_(fast(folded.post)) {
  const auto all = [](const std::vector<FoldedConv>& convs) {
    std::vector<WinogradConv> out;
    for (const FoldedConv& conv : convs) out.push_back(fast(conv));
    return out;
  };
  for (size_t i = 0; i < folded.upsamples.size(); ++i) {
    Stage stage{folded.upsamples[i].options.stride, folded.upsamples[i].weight.size(1), 0,
                all(phases_of(folded.upsamples[i])), {}};
    for (size_t k = 0; k < kernels; ++k) {
      const FoldedDecoder::Block& block = folded.blocks[i * kernels + k];
      stage.blocks.push_back({all(block.first), all(block.second)});
      stage.reach = std::max(stage.reach, stage.blocks.back().reach());
    }
    stages_.push_back(std::move(stage));
  }
}

int64_t WinogradDecoder::Block::reach() const {
  int64_t all = 0;
  for (const auto* convs : {&first, &second}) {
    for (const WinogradConv& conv : *convs) all += conv.reach();
  }
  return all;
}

// The transposed convolution of leaky_relu(x).
at::Tensor WinogradDecoder::upsampled(const Stage& stage, const at::Tensor& x_BTC, double slope) {
  const int64_t batch = x_BTC.size(0), time = x_BTC.size(1);
  const int64_t width = stage.rate * stage.channels;
  at::Tensor y_BTC = at::empty({batch, time * stage.rate, stage.channels}, x_BTC.options());
  auto* y = y_BTC.mutable_data_ptr<float>();
  for (const WinogradConv& conv : stage.upsample) {
    WinogradFusion rectified;
    rectified.input_slope = static_cast<float>(slope);
    conv.run({batch, time, 0, 0, width}, x_BTC.const_data_ptr<float>(), rectified, y);
    y += conv.out();
  }
  return y_BTC;
}

// Samples [begin, end) of leaky_relu(mean of the blocks of x), written to y. x and y are where one signal's sample 0 is, with
// `time` samples; space has room for two times the samples and the blocks' reach.
void WinogradDecoder::piece_of(const Stage& stage, int64_t time, int64_t begin, int64_t end, float* x, double slope,
                               float* space, float* y) {
  const int64_t origin = std::max<int64_t>(0, begin - stage.reach), rows = std::min(time, end + stage.reach) - origin;
  float *one_space = space - origin * stage.channels, *other_space = one_space + rows * stage.channels;
  for (size_t k = 0; k < stage.blocks.size(); ++k) {
    const Block& block = stage.blocks[k];
    int64_t rest = block.reach();  // of the convolutions that follow
    // Leaves `out` with the samples that those need.
    const auto run = [&](const WinogradConv& conv, const Stretch& in, const Stretch* residual, WinogradFusion fusion,
                         Stretch& out) {
      rest -= conv.reach();
      out.begin = std::max<int64_t>(0, begin - rest);
      out.end = std::min(time, end + rest);
      const int64_t offset = out.begin * stage.channels;
      fusion.input_slope = static_cast<float>(kDecoderSlope);
      if (residual != nullptr) fusion.residual = residual->data + offset;
      if (fusion.sum != nullptr) fusion.sum += offset;
      conv.run({1, out.end - out.begin, out.begin - in.begin, in.end - out.end}, in.data + offset, fusion, out.data + offset);
    };
    const bool in_pairs = !block.second.empty();
    Stretch h{x, 0, time}, one{one_space, 0, 0}, other{other_space, 0, 0}, result{y, 0, 0};
    for (size_t i = 0; i < block.first.size(); ++i) {
      if (in_pairs) run(block.first[i], h, nullptr, {}, one);
      const WinogradConv& conv = in_pairs ? block.second[i] : block.first[i];
      const Stretch in = in_pairs ? one : h;
      if (i + 1 < block.first.size()) {
        run(conv, in, &h, {}, other);
        h = other;
        if (!in_pairs) std::swap(one, other);
        continue;
      }
      WinogradFusion fusion;
      if (k > 0) fusion.sum = y;
      if (k + 1 == stage.blocks.size()) {
        fusion.scale = 1.0f / static_cast<float>(stage.blocks.size());
        fusion.output_slope = static_cast<float>(slope);
      }
      run(conv, in, &h, fusion, result);
    }
  }
}

// leaky_relu(mean of the blocks of x)
at::Tensor WinogradDecoder::blocks_of(const Stage& stage, const at::Tensor& x_BTC, double slope) {
  const int64_t batch = x_BTC.size(0), time = x_BTC.size(1);
  at::Tensor y_BTC = at::empty_like(x_BTC);
  const int64_t wanted = time < kLeastPieces * kPieceSamples ? 1 : (time + kPieceSamples - 1) / kPieceSamples;
  const int64_t length = (time + wanted - 1) / wanted, pieces = (time + length - 1) / length;
  auto *x = x_BTC.data_ptr<float>(), *y = y_BTC.mutable_data_ptr<float>();
  at::parallel_for(0, batch * pieces, 1, [&](int64_t first, int64_t last) {
    const at::Tensor space = at::empty({2, std::min(time, length + 2 * stage.reach), stage.channels}, at::kFloat);
    for (int64_t number = first; number < last; ++number) {
      const int64_t begin = number % pieces * length, signal = number / pieces * time * stage.channels;
      piece_of(stage, time, begin, std::min(time, begin + length), x + signal, slope, space.mutable_data_ptr<float>(),
               y + signal);
    }
  });
  return y_BTC;
}

at::Tensor WinogradDecoder::operator()(const at::Tensor& z_BCS, const at::Tensor& speaker_BG1) const {
  at::Tensor x = at::conv1d(z_BCS, pre_.weight, pre_.bias, 1, pre_.options.padding);
  if (condition_ && speaker_BG1.defined()) x.add_(at::conv1d(speaker_BG1, condition_->weight, condition_->bias));
  x = x.transpose(1, 2).contiguous();
  for (size_t i = 0; i < stages_.size(); ++i) {
    const Stage& stage = stages_[i];
    // What the blocks give is rectified already.
    x = upsampled(stage, x, i == 0 ? kDecoderSlope : 1.0);
    x = blocks_of(stage, x, i + 1 == stages_.size() ? kDecoderFinalSlope : kDecoderSlope);
  }
  return at::tanh(post_(x).transpose(1, 2));
}

}  // namespace valetts
