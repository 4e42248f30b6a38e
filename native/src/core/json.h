// A small strict JSON reader (RFC 8259) for file headers and metadata.
//
// Stricter than most: a repeated key, a lone surrogate, a control character in a string or anything after the value is
// an error. Depth and size are limited, so that a hostile file costs neither the stack nor the memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace valetts {

class JsonValue {
 public:
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };
  using Member = std::pair<std::string, JsonValue>;

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_object() const { return kind_ == Kind::kObject; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_number() const { return kind_ == Kind::kNumber; }
  // The number was written without fraction and exponent and fits 64 bits.
  bool is_integer() const { return kind_ == Kind::kNumber && integral_; }

  // Each throws INVALID_ARGUMENT if the value is of another kind (as_integer: if it is not exactly an int64).
  bool as_bool() const;
  double as_number() const;
  int64_t as_integer() const;
  const std::string& as_string() const;
  const std::vector<JsonValue>& items() const;   // array
  const std::vector<Member>& members() const;    // object, in the file's order

  // The member of that name, or null if there is none. Throws INVALID_ARGUMENT if this is not an object.
  const JsonValue* find(std::string_view name) const;
  // As find, but a missing member throws INVALID_ARGUMENT that names it.
  const JsonValue& at(std::string_view name) const;

 private:
  friend class JsonReader;
  Kind kind_ = Kind::kNull;
  bool bool_ = false;
  bool integral_ = false;
  int64_t integer_ = 0;
  double number_ = 0;
  std::string string_;
  std::vector<JsonValue> items_;
  std::vector<Member> members_;
};

struct JsonLimits {
  size_t max_bytes = size_t{100} << 20;
  int max_depth = 64;
};

// Parses exactly one value. Throws INVALID_ARGUMENT "JSON: <what> at byte <offset>".
JsonValue parse_json(std::string_view text, const JsonLimits& limits = {});

// The text as a JSON string literal, quotes included. Bytes from 0x80 are copied.
std::string json_quoted(std::string_view text);

}  // namespace valetts
