// valetts_peer_kernels: kernels over inputs from files, for what benchmarks/peers compares them with.
//
//   valetts_peer_kernels mas --scores FILE|random --batch B --tokens T --frames S [--durations FILE] [--device D] [--threads N]
//       [--repeats N]     alignment search over scores float32 [B,S,T]; int32 [B,T] durations into another file
//   valetts_peer_kernels decoder --weights FILE --latent FILE --frames S [--audio FILE] [--threads N] [--repeats N]
//       synthesis' decoder (HiFi-GAN of the published size) over a latent float32 [1,192,S]; its audio into another file
//
// Prints a line of JSON unless --repeats is 0.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "infer/voice.h"
#include "interop/safetensors.h"
#include "mas/mas.h"

namespace valetts {
namespace {

using Options = std::map<std::string, std::string>;

Options options_of(int count, char** arguments) {
  Options options;
  for (int i = 2; i + 1 < count; i += 2) {
    const std::string name = arguments[i];
    if (name.compare(0, 2, "--") != 0) throw std::invalid_argument("unknown argument " + name);
    options[name.substr(2)] = arguments[i + 1];
  }
  if (count > 2 && count % 2 == 1) throw std::invalid_argument(std::string(arguments[count - 1]) + " has no value");
  return options;
}

std::string text(const Options& options, const std::string& name, const char* otherwise = nullptr) {
  const auto found = options.find(name);
  if (found != options.end()) return found->second;
  if (otherwise == nullptr) throw std::invalid_argument("--" + name + " is missing");
  return otherwise;
}

int64_t number(const Options& options, const std::string& name, const char* otherwise = nullptr) {
  return std::stoll(text(options, name, otherwise));
}

at::Tensor floats(const std::string& path, at::IntArrayRef shape) {
  at::Tensor values = at::empty(shape, at::kFloat);
  std::ifstream file(path, std::ios::binary);
  const auto bytes = static_cast<std::streamsize>(values.nbytes());
  if (!file.read(static_cast<char*>(values.mutable_data_ptr()), bytes) || file.peek() != std::ifstream::traits_type::eof()) {
    throw std::invalid_argument(path + " does not hold " + std::to_string(values.numel()) + " floats");
  }
  return values;
}

void write(const Options& options, const std::string& name, const at::Tensor& values) {
  const auto path = options.find(name);
  if (path == options.end()) return;
  const at::Tensor host = values.cpu().contiguous();
  std::ofstream file(path->second, std::ios::binary);
  if (!file.write(static_cast<const char*>(host.const_data_ptr()), static_cast<std::streamsize>(host.nbytes()))) {
    throw std::runtime_error("cannot write " + path->second);
  }
}

void wait_for(at::Device device) {
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
}

void measure(const std::function<at::Tensor()>& work, at::Device device, int64_t repeats) {
  if (repeats == 0) return;
  std::vector<double> taken;
  for (int64_t repeat = -1; repeat < repeats; ++repeat) {
    wait_for(device);
    const auto began = std::chrono::steady_clock::now();
    const at::Tensor kept = work();
    wait_for(device);
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
    // The first one warms up.
    if (repeat >= 0) taken.push_back(ms);
  }
  std::sort(taken.begin(), taken.end());
  std::printf("{\"arm\":\"ours\",\"threads\":%d,\"bestMs\":%.4f,\"medianMs\":%.4f}\n", at::get_num_threads(), taken.front(),
              taken[taken.size() / 2]);
}

int mas(const Options& options) {
  const at::Device device(text(options, "device", "cpu"));
  const int64_t batch = number(options, "batch"), tokens = number(options, "tokens"), frames = number(options, "frames");
  const std::string scores = text(options, "scores");
  const at::Tensor score =
      (scores == "random" ? at::randn({batch, frames, tokens}) : floats(scores, {batch, frames, tokens})).to(device);
  const at::TensorOptions lengths = at::TensorOptions(at::kInt).device(device);
  const at::Tensor token_lengths = at::full({batch}, tokens, lengths);
  const at::Tensor frame_lengths = at::full({batch}, frames, lengths);
  auto search = [&] { return mas_path(score, token_lengths, frame_lengths); };
  write(options, "durations", search());
  measure(search, device, number(options, "repeats", "15"));
  return 0;
}

int decoder(const Options& options) {
  at::NoGradGuard no_grad;
  const auto generator = std::make_shared<Generator>(ModelSettings{}, 1, at::kCPU);
  ParameterStore& parameters = generator->parameters();
  parameters.set_requires_grad(false);
  // The file holds the decoder alone; the rest of the voice keeps its initial weights.
  const std::string file = text(options, "weights");
  NamedTensors weights = read_safetensors(file);
  for (const auto& [name, value] : parameters.entries()) {
    if (name.compare(0, 4, "dec.") != 0) weights.emplace_back(name, value);
  }
  parameters.assign(weights, file);
  const Voice voice(generator, AudioSettings{});
  const at::Tensor latent =
      floats(text(options, "latent"), {1, generator->settings().inter_channels, number(options, "frames")});
  auto run = [&] { return voice.decode_B1N(latent, {}); };
  write(options, "audio", run());
  measure(run, at::kCPU, number(options, "repeats", "5"));
  return 0;
}

int run(int count, char** arguments) {
  const std::string verb = count > 1 ? arguments[1] : "";
  const std::map<std::string, int (*)(const Options&)> verbs{{"mas", mas}, {"decoder", decoder}};
  const auto found = verbs.find(verb);
  if (found == verbs.end()) throw std::invalid_argument("name what to measure: mas or decoder");
  const Options options = options_of(count, arguments);
  const int64_t threads = number(options, "threads", "1");
  at::set_num_threads(static_cast<int>(threads));
  return found->second(options);
}

}  // namespace
}  // namespace valetts

int main(int count, char** arguments) {
  try {
    return valetts::run(count, arguments);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "valetts_peer_kernels: %s\n", e.what());
    return 1;
  }
}
