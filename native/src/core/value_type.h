// What the values of a tensor are on a GPU, for kernels that serve half precision too.
#pragma once

#include <cstdint>

namespace valetts {

enum class ValueType : int32_t { kFloat, kHalf, kBfloat16 };

}  // namespace valetts
