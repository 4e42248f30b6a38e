#include "infer/packed_decoder.h"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include "infer/winograd_decoder.h"

namespace valetts {

namespace {

using torch::jit::Stack;

// libtorch's own operators for its compiler; they have no C++ declaration, so they are called by name.
struct Operators {
  std::optional<c10::OperatorHandle> pack, convolve, convolve_add;
  bool complete() const { return pack && convolve && convolve_add; }
};

const Operators& operators() {
  static const Operators found = [] {
    auto& all = c10::Dispatcher::singleton();
    return Operators{all.findSchema({"mkldnn::_reorder_convolution_weight", ""}),
                     all.findSchema({"mkldnn::_convolution_pointwise", ""}),
                     all.findSchema({"mkldnn::_convolution_pointwise", "binary"})};
  }();
  return found;
}

at::Tensor call(const c10::OperatorHandle& op, Stack stack) {
  op.callBoxed(stack);
  return stack.front().toTensor();
}

c10::List<int64_t> over_time(int64_t value, int64_t height) { return c10::List<int64_t>({height, value}); }

c10::List<std::optional<at::Scalar>> scalars(std::initializer_list<double> values) {
  c10::List<std::optional<at::Scalar>> out;
  for (const double value : values) out.push_back(at::Scalar(value));
  return out;
}

// The length that weights are packed for; others are served as well.
constexpr int64_t kUsualTime = 1024;

// A convolution of [B,C,1,T] with channels innermost.
class PackedConv {
 public:
  PackedConv(const at::Tensor& weight_OIK, const at::Tensor& bias, int64_t padding, int64_t dilation)
      : bias_(bias), padding_(padding), dilation_(dilation) {
    const at::Tensor weight_OI1K = weight_OIK.unsqueeze(2).contiguous(at::MemoryFormat::ChannelsLast);
    weight_ = call(*operators().pack, {weight_OI1K, over_time(padding, 0), over_time(1, 1), over_time(dilation, 1), int64_t{1},
                                       c10::List<int64_t>({1, weight_OIK.size(1), 1, kUsualTime})});
  }

  at::Tensor operator()(const at::Tensor& x) const { return convolve(x, "none", scalars({})); }

  // With a leaky rectifier of its result.
  at::Tensor rectified(const at::Tensor& x, double slope) const { return convolve(x, "leaky_relu", scalars({slope})); }

  // Plus `other`.
  at::Tensor plus(const at::Tensor& x, const at::Tensor& other) const {
    return call(*operators().convolve_add,
                {x, other, weight_, bias(), over_time(padding_, 0), over_time(1, 1), over_time(dilation_, 1), int64_t{1},
                 "add", c10::IValue(), c10::IValue(), scalars({}), c10::IValue()});
  }

 private:
  c10::IValue bias() const { return bias_.defined() ? c10::IValue(bias_) : c10::IValue(); }

  at::Tensor convolve(const at::Tensor& x, const char* attribute, const c10::List<std::optional<at::Scalar>>& values) const {
    return call(*operators().convolve, {x, weight_, bias(), over_time(padding_, 0), over_time(1, 1), over_time(dilation_, 1),
                                        int64_t{1}, attribute, values, ""});
  }

  at::Tensor weight_;
  at::Tensor bias_;
  int64_t padding_;
  int64_t dilation_;
};

PackedConv packed(const FoldedConv& conv, at::ScalarType type) {
  const at::Tensor bias = conv.bias.defined() ? conv.bias.to(type) : conv.bias;
  return {conv.weight.to(type), bias, conv.options.padding, conv.options.dilation};
}

// Sample n = rate t + p of a transposed convolution takes input t + m with tap p + padding - m rate: `rate` ordinary
// convolutions over the inputs t + m, side by side as groups of output channels.
PackedConv packed_phases(const FoldedConv& conv, at::ScalarType type) {
  const int64_t in = conv.weight.size(0), out = conv.weight.size(1), taps = conv.weight.size(2);
  const int64_t rate = conv.options.stride, padding = conv.options.padding;
  const int64_t reach = (std::max(padding, taps - 1 - padding) + rate - 1) / rate;
  at::Tensor weight_POIM = at::zeros({rate, out, in, 2 * reach + 1}, conv.weight.options().requires_grad(false));
  for (int64_t phase = 0; phase < rate; ++phase) {
    for (int64_t m = -reach; m <= reach; ++m) {
      const int64_t tap = phase + padding - m * rate;
      if (tap >= 0 && tap < taps) {
        weight_POIM.select(0, phase).select(2, m + reach).copy_(conv.weight.select(2, tap).t());
      }
    }
  }
  return {weight_POIM.view({rate * out, in, 2 * reach + 1}).to(type), conv.bias.repeat({rate}).to(type), reach, 1};
}

// [B, rate x C, 1, T] with the phases outermost becomes [B, C, 1, rate x T]: where channels are innermost, the same memory.
at::Tensor interleaved(const at::Tensor& x, int64_t rate) {
  const int64_t batch = x.size(0), channels = x.size(1) / rate, time = x.size(3) * rate;
  return x.permute({0, 2, 3, 1}).reshape({batch, 1, time, channels}).permute({0, 3, 1, 2});
}

// The tensors that the decoder's numbers come from, and how often each has been written to.
std::vector<uint64_t> versions_of(const Generator& generator) {
  std::vector<uint64_t> versions;
  for (const auto& [name, tensor] : generator.parameters().entries()) {
    if (name.compare(0, 4, "dec.") == 0) versions.push_back(tensor._version());
  }
  return versions;
}

// Through oneDNN's convolutions.
struct Network {
  struct Block {
    std::vector<PackedConv> first;
    std::vector<PackedConv> second;
  };
  struct Stage {
    int64_t rate;
    PackedConv upsample;
    std::vector<Block> blocks;
  };

  Network(const FoldedDecoder& folded, size_t kernels, at::ScalarType given_type)
      : type(given_type), pre(packed(folded.pre, type)), condition(folded.condition), post(folded.post) {
    const auto all = [this](const std::vector<FoldedConv>& convs) {
      std::vector<PackedConv> out;
      for (const FoldedConv& conv : convs) out.push_back(packed(conv, type));
      return out;
    };
    for (size_t i = 0; i < folded.upsamples.size(); ++i) {
      Stage stage{folded.upsamples[i].options.stride, packed_phases(folded.upsamples[i], type), {}};
      for (size_t k = 0; k < kernels; ++k) {
        const FoldedDecoder::Block& block = folded.blocks[i * kernels + k];
        stage.blocks.push_back({all(block.first), all(block.second)});
      }
      stages.push_back(std::move(stage));
    }
  }

  // rectified: leaky_relu(x), which the blocks of a stage share.
  static at::Tensor through(const Block& block, const at::Tensor& x, const at::Tensor& rectified) {
    at::Tensor h = x;
    for (size_t i = 0; i < block.first.size(); ++i) {
      const at::Tensor in = i == 0 ? rectified : at::leaky_relu(h, kDecoderSlope);
      h = block.second.empty() ? block.first[i].plus(in, h)
                               : block.second[i].plus(block.first[i].rectified(in, kDecoderSlope), h);
    }
    return h;
  }

  at::Tensor operator()(const at::Tensor& z_BCS, const at::Tensor& speaker_BG1) const {
    const at::Tensor z = z_BCS.unsqueeze(2).to(type).contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor x;
    if (condition && speaker_BG1.defined()) {
      const at::Tensor speaker = at::conv1d(speaker_BG1, condition->weight, condition->bias);
      x = at::leaky_relu_(pre(z).add_(speaker.unsqueeze(2).to(type)), kDecoderSlope);
    } else {
      x = pre.rectified(z, kDecoderSlope);
    }
    for (size_t i = 0; i < stages.size(); ++i) {
      const Stage& stage = stages[i];
      x = interleaved(stage.upsample(x), stage.rate);
      const at::Tensor rectified = at::leaky_relu(x, kDecoderSlope);
      at::Tensor sum;
      for (const Block& block : stage.blocks) {
        const at::Tensor y = through(block, x, rectified);
        sum = sum.defined() ? sum.add_(y) : y;
      }
      const bool last = i + 1 == stages.size();
      x = at::leaky_relu_(sum.div_(static_cast<double>(stage.blocks.size())), last ? kDecoderFinalSlope : kDecoderSlope);
    }
    return at::tanh(at::conv1d(x.squeeze(2).to(at::kFloat).contiguous(), post.weight, post.bias, 1, post.options.padding));
  }

  at::ScalarType type;
  PackedConv pre;
  std::optional<FoldedConv> condition;
  std::vector<Stage> stages;
  FoldedConv post;
};

}  // namespace

struct PackedDecoder::Packed {
  Packed(const Generator& generator, at::ScalarType type) : versions(versions_of(generator)) {
    const FoldedDecoder folded = generator.decoder.folded();
    const size_t kernels = generator.settings().resblock_kernel_sizes.size();
    if (type == at::kFloat && WinogradDecoder::serves(folded)) {
      winograd.emplace(folded, kernels);
    } else {
      network.emplace(folded, kernels, type);
    }
  }

  std::vector<uint64_t> versions;
  std::optional<WinogradDecoder> winograd;
  std::optional<Network> network;
};

PackedDecoder::PackedDecoder(Precision precision)
    : type_(precision == Precision::kBf16 ? at::kBFloat16 : at::kFloat) {}
PackedDecoder::~PackedDecoder() = default;
PackedDecoder::PackedDecoder(PackedDecoder&&) noexcept = default;
PackedDecoder& PackedDecoder::operator=(PackedDecoder&&) noexcept = default;

bool PackedDecoder::has_bf16() {
#if defined(__x86_64__)
  // Every CPU with AMX has it too.
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

bool PackedDecoder::serves(const Generator& generator) {
  const ParameterStore& store = generator.parameters();
  return generator.settings().decoder_kind == DecoderKind::kHifiGan && store.device().is_cpu() &&
         store.type() == at::kFloat && at::Context::hasMKLDNN() && at::globalContext().userEnabledMkldnn() &&
         operators().complete();
}

at::Tensor PackedDecoder::operator()(const Generator& generator, const at::Tensor& z_BCS, const at::Tensor& speaker_BG1) {
  if (!packed_ || packed_->versions != versions_of(generator)) {
    // Not beside the new ones: together they would be half a gigabyte.
    packed_.reset();
    packed_ = std::make_unique<Packed>(generator, type_);
  }
  return packed_->winograd ? (*packed_->winograd)(z_BCS, speaker_BG1) : (*packed_->network)(z_BCS, speaker_BG1);
}

}  // namespace valetts
