#include "interop/safetensors.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>

#include "core/check.h"
#include "fixtures.h"
#include "tensor_checks.h"

namespace valetts {
namespace {
namespace fs = std::filesystem;

// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("valetts-safetensors-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string with_header(const std::string& header, const std::string& data) {
  const uint64_t size = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &size, 8);
  return bytes + header + data;
}

std::string io_error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.code() == StatusCode::kIo);
    return error.what();
  }
  return "no error";
}

NamedTensors sample() {
  return {{"half", at::arange(5, at::kFloat).to(at::kHalf)},
          {"weights", at::arange(6, at::kFloat).view({2, 3}) / 7},
          {"step", at::tensor(int64_t{1} << 60, at::kLong)},
          {"empty", at::empty({0, 4}, at::kFloat)},
          {"flags", at::tensor({1, 0, 1}, at::kInt).to(at::kBool)},
          {"tr\"icky \xC3\xA9\n", at::arange(3, at::kByte)}};
}
}  // namespace

TEST_SUITE_BEGIN("interop/safetensors");

TEST_CASE("what is written is read back bit for bit, metadata included") {
  const Folder folder;
  const std::string path = folder.file("all.safetensors");
  NamedTensors entries = sample();
  for (const at::ScalarType type : {at::kDouble, at::kBFloat16, at::kInt, at::kShort, at::kChar}) {
    entries.emplace_back(c10::toString(type), at::arange(-3, 9, at::kFloat).to(type));
  }
  write_safetensors(path, entries, {{"config", "{\"a\": 1}"}, {"format", "1"}});
  const SafetensorsFile file = load_safetensors(path);
  CHECK(file.metadata == Metadata{{"config", "{\"a\": 1}"}, {"format", "1"}});
  REQUIRE(file.tensors.size() == entries.size());
  for (const auto& [name, tensor] : entries) {
    CAPTURE(name);
    REQUIRE(file.find(name) != nullptr);
    VT_CHECK_SAME_BITS(*file.find(name), tensor);
  }
  CHECK(file.find("nothing") == nullptr);
  const std::string bytes = bytes_of(path);
  uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  CHECK(header % 8 == 0);
  write_safetensors(folder.file("again.safetensors"), entries, file.metadata);
  CHECK(bytes_of(folder.file("again.safetensors")) == bytes);
}

TEST_CASE("views are written with their own values") {
  const Folder folder;
  const std::string path = folder.file("view.safetensors");
  const at::Tensor base = at::arange(12, at::kFloat).view({3, 4});
  write_safetensors(path, {{"t", base.t()}, {"column", base.select(1, 2)}});
  const SafetensorsFile file = load_safetensors(path);
  VT_CHECK_SAME_BITS(*file.find("t"), base.t().contiguous());
  VT_CHECK_SAME_BITS(*file.find("column"), base.select(1, 2).contiguous());
}

TEST_CASE("every shorter file is refused with its name") {
  const Folder folder;
  const std::string path = folder.file("whole.safetensors");
  write_safetensors(path, sample());
  const std::string bytes = bytes_of(path);
  const std::string cut = folder.file("cut.safetensors");
  for (size_t size = 0; size < bytes.size(); ++size) {
    put(cut, bytes.substr(0, size));
    const std::string error = io_error_of([&] { load_safetensors(cut); });
    CAPTURE(size);
    CHECK(error.find("cut.safetensors: ") != std::string::npos);
    CHECK(error.find("cut short") != std::string::npos);
  }
  put(cut, bytes + "x");
  CHECK(io_error_of([&] { load_safetensors(cut); }).find("1 bytes are left over") != std::string::npos);
}

TEST_CASE("missing file, folder and foreign bytes are refused") {
  const Folder folder;
  CHECK(io_error_of([&] { load_safetensors(folder.file("none")); }).find("none: cannot open: No such file") !=
        std::string::npos);
  CHECK(io_error_of([&] { load_safetensors(folder.file(".")); }).find("not a regular file") != std::string::npos);
  put(folder.file("text"), "this is surely not a tensor file");
  CHECK(io_error_of([&] { load_safetensors(folder.file("text")); }).find("is not a safetensors file") !=
        std::string::npos);
}

TEST_CASE("a header that does not fit its data is refused") {
  const Folder folder;
  const std::string path = folder.file("bad");
  const auto error_of = [&](const std::string& header, const std::string& data) {
    put(path, with_header(header, data));
    return io_error_of([&] { load_safetensors(path); });
  };
  const std::string eight(8, '\1');
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  CHECK(has(error_of("{not json", ""), "bad safetensors header: JSON"));
  CHECK(has(error_of("[]", ""), "expected an object"));
  CHECK(has(error_of(R"({"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}})", eight), "'a': unknown dtype 'F99'"));
  CHECK(has(error_of(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", eight), "need 12"));
  CHECK(has(error_of(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", eight), "negative size"));
  CHECK(has(error_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", eight), "out of order"));
  CHECK(has(error_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", eight), "expected 2"));
  CHECK(has(error_of(R"({"a":{"dtype":"F32","shape":[2]}})", eight), "no member 'data_offsets'"));
  CHECK(has(error_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})", eight), "leaving a gap"));
  CHECK(has(error_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                     eight),
            "inside the tensor before it"));
  CHECK(has(error_of(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", eight), "too large"));
  CHECK(has(error_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                     eight),
            "repeated name 'a'"));
  CHECK(has(error_of(R"({"a":{"dtype":"BOOL","shape":[8],"data_offsets":[0,8]}})", std::string(8, '\2')), "boolean"));
}

TEST_CASE("a full disk and a missing folder are reported with the file's name") {
  const Folder folder;
  CHECK(io_error_of([&] { write_safetensors(folder.file("no/such/file"), sample()); })
            .find("no/such/file: cannot create: No such file") != std::string::npos);
  if (fs::exists("/dev/full")) {
    CHECK(io_error_of([&] { write_safetensors("/dev/full", sample()); }) ==
          "/dev/full: cannot write: No space left on device");
    CHECK(fs::exists("/dev/full"));
  }
}

TEST_CASE("what the format cannot hold is refused before the file is touched") {
  const Folder folder;
  const std::string path = folder.file("untouched");
  put(path, "old");
  const at::Tensor one = at::ones({1});
  CHECK_THROWS_AS(write_safetensors(path, {{"a", one}, {"a", one}}), Error);
  CHECK_THROWS_AS(write_safetensors(path, {{"__metadata__", one}}), Error);
  CHECK_THROWS_AS(write_safetensors(path, {{"a", at::Tensor()}}), Error);
  CHECK_THROWS_AS(write_safetensors(path, {{"a", one.to(at::kComplexFloat)}}), Error);
  CHECK(bytes_of(path) == "old");
}

TEST_CASE("reads the fixtures' files") {
  VT_FIXTURE(path, "mas.safetensors");
  const SafetensorsFile file = load_safetensors(path);
  CHECK(file.tensors.size() == 24);
  REQUIRE(file.find("big/value") != nullptr);
  CHECK(file.find("big/value")->sizes() == at::IntArrayRef{2, 400, 151});
  CHECK((file.find("big/t_x")->scalar_type() == at::kLong));
}

TEST_SUITE_END();

}  // namespace valetts
