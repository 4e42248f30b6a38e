// usage: valetts_kernel_benchmarks [kernel] [threads] [rounds] [longest]
//
// Prints a Markdown table: the best time of each path over the rounds, which alternate, and the ratio plain / kernel.
// Inputs on which the plain path takes more than `longest` milliseconds are left out. Other work on the machine disturbs both
// alike. Exit status 1 if answers differ.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <ATen/Parallel.h>

#include "compare.h"
#include "core/path.h"

namespace {

using namespace valetts;

double milliseconds(const Comparison& comparison, bool plain) {
  const PlainPathScope scope(plain);
  const auto began = std::chrono::steady_clock::now();
  comparison.call();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
}

std::vector<at::Tensor> answer(const Comparison& comparison, bool plain) {
  const PlainPathScope scope(plain);
  return comparison.call();
}

// The largest difference, of the largest value.
double difference(const Comparison& comparison) {
  const std::vector<at::Tensor> plain = answer(comparison, true);
  const std::vector<at::Tensor> kernel = answer(comparison, false);
  double largest = 0.0;
  for (size_t i = 0; i < plain.size(); ++i) {
    if (plain[i].numel() == 0 || at::equal(plain[i], kernel[i])) continue;
    const at::Tensor expected = plain[i].to(at::kDouble);
    const double apart = (kernel[i].to(at::kDouble) - expected).abs().max().item<double>();
    largest = std::max(largest, apart / std::max(1e-30, expected.abs().max().item<double>()));
  }
  return largest;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string chosen = count > 1 ? arguments[1] : "all";
  at::set_num_threads(count > 2 ? std::atoi(arguments[2]) : 1);
  const int rounds = count > 3 ? std::atoi(arguments[3]) : 15;
  const double longest = count > 4 ? std::atof(arguments[4]) : 1e30;
  std::vector<Comparison> all;
  for (const auto& of_kernel : {mas_comparisons, wavenet_comparisons, decoder_comparisons, feature_matching_comparisons,
                                channel_norm_comparisons, weight_norm_comparisons, spline_comparisons,
                                snake_comparisons, attention_comparisons, epilogue_comparisons,
                                segment_comparisons}) {
    for (Comparison& comparison : of_kernel()) all.push_back(std::move(comparison));
  }
  std::printf("%d threads, best of %d\n\n| kernel | input | plain ms | kernel ms | ratio | difference |\n"
              "| --- | --- | --- | --- | --- | --- |\n",
              at::get_num_threads(), rounds);
  int failures = 0;
  for (const Comparison& comparison : all) {
    if (chosen == "all" ? comparison.on_request : chosen != comparison.kernel) continue;
    if (longest < 1e30 && milliseconds(comparison, true) > longest) continue;
    const double apart = difference(comparison);
    if (!(apart <= comparison.tolerance)) {
      std::fprintf(stderr, "%s %s: the answers are %g apart, at most %g expected\n", comparison.kernel.c_str(),
                   comparison.input.c_str(), apart, comparison.tolerance);
      ++failures;
      continue;
    }
    double plain = 1e30, kernel = 1e30;
    for (int round = 0; round < rounds; ++round) {
      plain = std::min(plain, milliseconds(comparison, true));
      kernel = std::min(kernel, milliseconds(comparison, false));
    }
    std::printf("| %s | %s | %.3f | %.3f | %.2f | %.1e |\n", comparison.kernel.c_str(), comparison.input.c_str(), plain,
                kernel, plain / kernel, apart);
    std::fflush(stdout);
  }
  return failures == 0 ? 0 : 1;
}
