// Reads and writes the safetensors format: 8 bytes of header length, a JSON header, raw little-endian tensors.
// Format: https://github.com/huggingface/safetensors. Every byte is accounted for before any tensor is made.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace valetts {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;
using Metadata = std::vector<std::pair<std::string, std::string>>;

struct SafetensorsFile {
  NamedTensors tensors;  // in the order of the data in the file; CPU, contiguous, each with its own memory
  Metadata metadata;

  // The tensor of that name, or null.
  const at::Tensor* find(const std::string& name) const;
};

// Types: F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL.
// Errors: IO that names the file and what is wrong: missing, cut short, bytes left over, a header that is not JSON,
// unknown type, overlapping or out-of-range offsets, a size that does not match the shape.
SafetensorsFile load_safetensors(const std::string& path);
// Only the tensors of load_safetensors.
NamedTensors read_safetensors(const std::string& path);

// Writes the tensors (any device and layout; copied to the CPU one by one) to that very path and syncs the file. Data
// begins at a multiple of 8 bytes. Publishing atomically (temporary name, rename, directory sync) is the caller's.
// Errors: IO that names the file and the system's reason (no space left, no such directory); a partly written file is
// removed. INVALID_ARGUMENT for a repeated name or a type the format lacks.
void write_safetensors(const std::string& path, const NamedTensors& entries, const Metadata& metadata = {});

}  // namespace valetts
