#include "tensor_checks.h"

#include <ATen/ATen.h>

#include <cstring>
#include <sstream>

namespace valetts::testing {

std::string relative_difference(const at::Tensor& actual, const at::Tensor& expected, double tolerance, double floor) {
  std::ostringstream message;
  if (!actual.defined() || !expected.defined()) {
    return "undefined tensor";
  }
  if (actual.sizes() != expected.sizes()) {
    message << "shape " << actual.sizes() << ", expected " << expected.sizes();
    return message.str();
  }
  if (actual.numel() == 0) {
    return "";
  }
  const at::Tensor a = actual.detach().to(at::kCPU, at::kDouble).contiguous().view({-1});
  const at::Tensor e = expected.detach().to(at::kCPU, at::kDouble).contiguous().view({-1});
  const at::Tensor difference = at::nan_to_num((a - e).abs(), std::numeric_limits<double>::infinity());
  const double scale = std::max(e.abs().max().item<double>(), floor);
  const double worst = difference.max().item<double>();
  if (worst <= tolerance * scale) {
    return "";
  }
  const int64_t at_index = difference.argmax().item<int64_t>();
  message << "differs by " << worst << " = " << worst / scale << " of the largest value " << scale << " (allowed "
          << tolerance << "), at flat index " << at_index << " of " << expected.sizes() << ": "
          << a[at_index].item<double>() << ", expected " << e[at_index].item<double>();
  return message.str();
}

std::string bit_difference(const at::Tensor& actual, const at::Tensor& expected) {
  std::ostringstream message;
  if (actual.sizes() != expected.sizes() || actual.scalar_type() != expected.scalar_type()) {
    message << actual.scalar_type() << " " << actual.sizes() << ", expected " << expected.scalar_type() << " "
            << expected.sizes();
    return message.str();
  }
  const at::Tensor a = actual.detach().cpu().contiguous();
  const at::Tensor e = expected.detach().cpu().contiguous();
  const auto* a_bytes = static_cast<const char*>(a.const_data_ptr());
  const auto* e_bytes = static_cast<const char*>(e.const_data_ptr());
  const size_t bytes = a.nbytes();
  for (size_t i = 0; i < bytes; ++i) {
    if (a_bytes[i] != e_bytes[i]) {
      message << "bytes differ first in element " << i / a.element_size() << " of " << a.sizes();
      return message.str();
    }
  }
  return "";
}

}  // namespace valetts::testing
