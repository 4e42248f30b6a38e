#include "interop/safetensors.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "core/check.h"
#include "core/json.h"

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

namespace valetts {
namespace {

constexpr uint64_t kMaxHeaderBytes = uint64_t{100} << 20;  // the reference implementation's limit
constexpr size_t kWriteChunkBytes = size_t{64} << 20;

struct TypeName {
  const char* name;
  at::ScalarType type;
};
constexpr TypeName kTypes[] = {
    {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf}, {"BF16", at::kBFloat16}, {"I64", at::kLong},
    {"I32", at::kInt},    {"I16", at::kShort}, {"I8", at::kChar},  {"U8", at::kByte},       {"BOOL", at::kBool},
};

std::string system_reason(int error_number) { return std::strerror(error_number); }

// A file descriptor that closes itself.
class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~File() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }
  // Closes now; 0 or the system's error number.
  int close() {
    const int fd = std::exchange(fd_, -1);
    return ::close(fd) == 0 ? 0 : errno;
  }

 private:
  int fd_;
};

void read_exactly(const File& file, void* to, uint64_t bytes, const std::string& path) {
  auto* out = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t count = ::read(file.fd(), out, std::min<uint64_t>(bytes, kWriteChunkBytes));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    VT_CHECK_IO(count >= 0, path, ": cannot read: ", system_reason(errno));
    VT_CHECK_IO(count > 0, path, ": the file became shorter while it was read");
    out += count;
    bytes -= static_cast<uint64_t>(count);
  }
}

void write_exactly(const File& file, const void* from, uint64_t bytes, const std::string& path) {
  const auto* data = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t count = ::write(file.fd(), data, std::min<uint64_t>(bytes, kWriteChunkBytes));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    VT_CHECK_IO(count > 0, path, ": cannot write: ", count < 0 ? system_reason(errno) : "nothing was written");
    data += count;
    bytes -= static_cast<uint64_t>(count);
  }
}

struct Entry {
  std::string name;
  at::ScalarType type;
  std::vector<int64_t> sizes;
  uint64_t begin;
  uint64_t end;
};

Entry entry_of(const std::string& name, const JsonValue& value) {
  Entry entry;
  entry.name = name;
  const std::string& type_name = value.at("dtype").as_string();
  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                  [&](const TypeName& candidate) { return type_name == candidate.name; });
  VT_CHECK_ARG(type != std::end(kTypes), "unknown dtype '", type_name, "'");
  entry.type = type->type;
  uint64_t bytes = c10::elementSize(entry.type);
  for (const JsonValue& item : value.at("shape").items()) {
    const int64_t size = item.as_integer();
    VT_CHECK_ARG(size >= 0, "negative size ", size, " in the shape");
    VT_CHECK_ARG(size == 0 || bytes <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) / size,
                 "the shape is too large");
    bytes *= static_cast<uint64_t>(size);
    entry.sizes.push_back(size);
  }
  const auto& offsets = value.at("data_offsets").items();
  VT_CHECK_ARG(offsets.size() == 2, "data_offsets has ", offsets.size(), " values, expected 2");
  const int64_t begin = offsets[0].as_integer();
  const int64_t end = offsets[1].as_integer();
  VT_CHECK_ARG(begin >= 0 && begin <= end, "data_offsets ", begin, "..", end, " are out of order");
  VT_CHECK_ARG(static_cast<uint64_t>(end - begin) == bytes, "data_offsets span ", end - begin,
               " bytes, but dtype and shape need ", bytes);
  entry.begin = static_cast<uint64_t>(begin);
  entry.end = static_cast<uint64_t>(end);
  return entry;
}

}  // namespace

const at::Tensor* SafetensorsFile::find(const std::string& name) const {
  for (const auto& [entry_name, tensor] : tensors) {
    if (entry_name == name) {
      return &tensor;
    }
  }
  return nullptr;
}

SafetensorsFile load_safetensors(const std::string& path) {
  const File file(path, O_RDONLY);
  VT_CHECK_IO(file.fd() >= 0, path, ": cannot open: ", system_reason(errno));
  struct stat status {};
  VT_CHECK_IO(::fstat(file.fd(), &status) == 0, path, ": cannot read its size: ", system_reason(errno));
  VT_CHECK_IO(S_ISREG(status.st_mode), path, ": is not a regular file");
  const auto file_bytes = static_cast<uint64_t>(status.st_size);
  VT_CHECK_IO(file_bytes >= 8, path, ": ", file_bytes, " bytes are too few for a safetensors file; it is cut short");

  uint64_t header_bytes = 0;
  read_exactly(file, &header_bytes, sizeof(header_bytes), path);
  VT_CHECK_IO(header_bytes <= kMaxHeaderBytes, path, ": is not a safetensors file: its header would have ", header_bytes,
              " bytes");
  VT_CHECK_IO(header_bytes <= file_bytes - 8, path, ": is cut short: its header has ", header_bytes,
              " bytes, but the file has ", file_bytes);
  std::string header_text(header_bytes, '\0');
  read_exactly(file, header_text.data(), header_bytes, path);

  SafetensorsFile result;
  std::vector<Entry> entries;
  try {
    JsonLimits limits;
    limits.max_bytes = kMaxHeaderBytes;
    limits.max_depth = 8;
    const JsonValue header = parse_json(header_text, limits);
    for (const auto& [name, value] : header.members()) {
      try {
        if (name == "__metadata__") {
          for (const auto& [key, text] : value.members()) {
            result.metadata.emplace_back(key, text.as_string());
          }
        } else {
          entries.push_back(entry_of(name, value));
        }
      } catch (const Error& error) {
        fail(error.code(), "'", name, "': ", error.what());
      }
    }
  } catch (const Error& error) {
    fail(StatusCode::kIo, path, ": bad safetensors header: ", error.what());
  }

  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  uint64_t expected = 0;
  for (const Entry& entry : entries) {
    VT_CHECK_IO(entry.begin == expected, path, ": the data of '", entry.name, "' begins at byte ", entry.begin,
                entry.begin < expected ? ", inside the tensor before it, which ends at "
                                       : ", leaving a gap after the tensor before it, which ends at ",
                expected);
    expected = entry.end;
  }
  const uint64_t data_bytes = file_bytes - 8 - header_bytes;
  VT_CHECK_IO(data_bytes >= expected, path, ": is cut short: ", data_bytes, " bytes of data, its header promises ",
              expected);
  VT_CHECK_IO(data_bytes == expected, path, ": ", data_bytes - expected, " bytes are left over after the last tensor");

  result.tensors.reserve(entries.size());
  for (Entry& entry : entries) {
    at::Tensor tensor = at::empty(entry.sizes, entry.type);
    if (entry.end > entry.begin) {
      read_exactly(file, tensor.mutable_data_ptr(), entry.end - entry.begin, path);
      if (entry.type == at::kBool) {
        const auto* bytes = static_cast<const uint8_t*>(tensor.const_data_ptr());
        VT_CHECK_IO(std::all_of(bytes, bytes + tensor.numel(), [](uint8_t byte) { return byte <= 1; }), path, ": '",
                    entry.name, "' holds a boolean that is neither 0 nor 1");
      }
    }
    result.tensors.emplace_back(std::move(entry.name), std::move(tensor));
  }
  return result;
}

NamedTensors read_safetensors(const std::string& path) { return load_safetensors(path).tensors; }

void write_safetensors(const std::string& path, const NamedTensors& entries, const Metadata& metadata) {
  std::string header = "{";
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    std::unordered_set<std::string> keys;
    for (const auto& [key, text] : metadata) {
      VT_CHECK_ARG(keys.insert(key).second, path, ": repeated metadata key '", key, "'");
      header += (keys.size() > 1 ? "," : "") + json_quoted(key) + ":" + json_quoted(text);
    }
    header += "}";
  }
  std::unordered_set<std::string> names{"__metadata__"};
  uint64_t offset = 0;
  // The widest elements first, as the format's reference writer does: every tensor is then aligned to its own type.
  std::vector<const NamedTensors::value_type*> ordered;
  for (const auto& entry : entries) {
    VT_CHECK_ARG(names.insert(entry.first).second, path, ": repeated or reserved tensor name '", entry.first, "'");
    VT_CHECK_ARG(entry.second.defined(), path, ": tensor '", entry.first, "' is undefined");
    ordered.push_back(&entry);
  }
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto* a, const auto* b) { return a->second.element_size() > b->second.element_size(); });
  for (const auto* entry : ordered) {
    const auto& [name, tensor] = *entry;
    const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes), [&, &tensor = tensor](const TypeName& candidate) {
      return tensor.scalar_type() == candidate.type;
    });
    VT_CHECK_ARG(type != std::end(kTypes), path, ": tensor '", name, "' is of type ", c10::toString(tensor.scalar_type()),
                 ", which safetensors lacks");
    header += (header.size() > 1 ? "," : "") + json_quoted(name) + ":{\"dtype\":\"" + type->name + "\",\"shape\":[";
    for (int64_t d = 0; d < tensor.dim(); ++d) {
      header += (d > 0 ? "," : "") + std::to_string(tensor.size(d));
    }
    const uint64_t end = offset + tensor.nbytes();
    header += "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(end) + "]}";
    offset = end;
  }
  header += "}";
  header.append((8 - header.size() % 8) % 8, ' ');
  const uint64_t header_bytes = header.size();
  VT_CHECK_ARG(header_bytes <= kMaxHeaderBytes, path, ": a header of ", header_bytes, " bytes is more than the format allows");

  File file(path, O_WRONLY | O_CREAT | O_TRUNC);
  VT_CHECK_IO(file.fd() >= 0, path, ": cannot create: ", system_reason(errno));
  struct stat status {};
  const bool regular = ::fstat(file.fd(), &status) == 0 && S_ISREG(status.st_mode);
  try {
    write_exactly(file, &header_bytes, sizeof(header_bytes), path);
    write_exactly(file, header.data(), header.size(), path);
    for (const auto* entry : ordered) {
      if (entry->second.numel() > 0) {
        const at::Tensor host = entry->second.detach().to(at::kCPU).contiguous();
        write_exactly(file, host.const_data_ptr(), host.nbytes(), path);
      }
    }
    if (regular) {
      VT_CHECK_IO(::fsync(file.fd()) == 0, path, ": cannot sync: ", system_reason(errno));
    }
    const int close_error = file.close();
    VT_CHECK_IO(close_error == 0, path, ": cannot close: ", system_reason(close_error));
  } catch (...) {
    if (regular) {
      ::unlink(path.c_str());
    }
    throw;
  }
}

}  // namespace valetts
