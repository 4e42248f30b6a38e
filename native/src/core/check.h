// How the core says no: one exception type with a status code that the C border passes on unchanged.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace valetts {

// The values of vt_status; the border casts one into the other.
enum class StatusCode : int {
  kOk = 0,
  kInvalidArgument = 1,
  kInvalidState = 2,
  kIo = 3,
  kOutOfMemory = 4,
  kNonFinite = 5,
  kDeviceFatal = 6,
  kCancelled = 7,
  kInternal = 8,
};

// An expected failure. The message is for the user: it names the field, file or utterance and what is wrong with it.
class Error : public std::runtime_error {
 public:
  Error(StatusCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  StatusCode code() const noexcept { return code_; }

 private:
  StatusCode code_;
};

// Streams all parts into one string.
template <typename... Parts>
std::string message_of(const Parts&... parts) {
  std::ostringstream stream;
  (stream << ... << parts);
  return stream.str();
}

template <typename... Parts>
[[noreturn]] void fail(StatusCode code, const Parts&... parts) {
  throw Error(code, message_of(parts...));
}

}  // namespace valetts

// VT_CHECK_ARG(samples > 0, "samples is ", samples, ", expected at least 1");
#define VT_CHECK_STATUS(code, condition, ...)        \
  do {                                               \
    if (!(condition)) [[unlikely]] {                 \
      ::valetts::fail((code), __VA_ARGS__);          \
    }                                                \
  } while (false)
#define VT_CHECK_ARG(condition, ...) VT_CHECK_STATUS(::valetts::StatusCode::kInvalidArgument, condition, __VA_ARGS__)
#define VT_CHECK_STATE(condition, ...) VT_CHECK_STATUS(::valetts::StatusCode::kInvalidState, condition, __VA_ARGS__)
#define VT_CHECK_IO(condition, ...) VT_CHECK_STATUS(::valetts::StatusCode::kIo, condition, __VA_ARGS__)
#define VT_CHECK_FINITE(condition, ...) VT_CHECK_STATUS(::valetts::StatusCode::kNonFinite, condition, __VA_ARGS__)
#define VT_CHECK_INTERNAL(condition, ...) VT_CHECK_STATUS(::valetts::StatusCode::kInternal, condition, __VA_ARGS__)
