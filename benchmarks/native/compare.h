// Times a kernel and its plain path in turns, after their answers are found equal.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

namespace valetts {

// One row of the table: what was compared, on which input, and by how much the answers may differ.
struct Comparison {
  std::string kernel;
  std::string input;
  double tolerance;  // of the largest value of each tensor; 0: the same bits
  // All that a call computes, gradients included. Run inside a PlainPathScope and outside.
  std::function<std::vector<at::Tensor>()> call;
  // Left out of `all`: an input on which memory decides, and the paths are nearly alike.
  bool on_request = false;
};

// Every comparison of one kernel; each is defined in <kernel>.cpp.
std::vector<Comparison> mas_comparisons();
std::vector<Comparison> wavenet_comparisons();
std::vector<Comparison> decoder_comparisons();
std::vector<Comparison> feature_matching_comparisons();
std::vector<Comparison> channel_norm_comparisons();
std::vector<Comparison> weight_norm_comparisons();
std::vector<Comparison> spline_comparisons();
std::vector<Comparison> snake_comparisons();
std::vector<Comparison> attention_comparisons();
std::vector<Comparison> epilogue_comparisons();
std::vector<Comparison> segment_comparisons();

}  // namespace valetts
