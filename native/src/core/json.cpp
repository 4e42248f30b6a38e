#include "core/json.h"

#include <charconv>
#include <cmath>
#include <unordered_set>

#include "core/check.h"

namespace valetts {

namespace {
const char* name_of(JsonValue::Kind kind) {
  switch (kind) {
    case JsonValue::Kind::kNull: return "null";
    case JsonValue::Kind::kBool: return "a boolean";
    case JsonValue::Kind::kNumber: return "a number";
    case JsonValue::Kind::kString: return "a string";
    case JsonValue::Kind::kArray: return "an array";
    case JsonValue::Kind::kObject: return "an object";
  }
  return "unknown";
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
}  // namespace

class JsonReader {
 public:
  JsonReader(std::string_view text, const JsonLimits& limits) : text_(text), limits_(limits) {
    check(text.size() <= limits.max_bytes, message_of(text.size(), " bytes are more than the allowed ", limits.max_bytes));
  }

  JsonValue document() {
    JsonValue value = this->value(1);
    skip_space();
    check(position_ == text_.size(), "something follows the value");
    return value;
  }

 private:
  void check(bool condition, const std::string& what) const {
    VT_CHECK_ARG(condition, "JSON: ", what, " at byte ", position_);
  }

  bool at_end() const { return position_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[position_]; }

  void skip_space() {
    while (!at_end() && (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t')) {
      ++position_;
    }
  }

  bool take(char c) {
    if (at_end() || text_[position_] != c) {
      return false;
    }
    ++position_;
    return true;
  }

  void expect(char c) { check(take(c), std::string("expected '") + c + "'"); }

  JsonValue value(int depth) {
    check(depth <= limits_.max_depth, message_of("nested deeper than ", limits_.max_depth));
    skip_space();
    check(!at_end(), "the text ends where a value is expected");
    JsonValue result;
    switch (peek()) {
      case '{':
        result.kind_ = JsonValue::Kind::kObject;
        object(result, depth);
        break;
      case '[':
        result.kind_ = JsonValue::Kind::kArray;
        array(result, depth);
        break;
      case '"':
        result.kind_ = JsonValue::Kind::kString;
        result.string_ = string();
        break;
      case 't':
        literal("true");
        result.kind_ = JsonValue::Kind::kBool;
        result.bool_ = true;
        break;
      case 'f':
        literal("false");
        result.kind_ = JsonValue::Kind::kBool;
        break;
      case 'n':
        literal("null");
        break;
      default:
        result.kind_ = JsonValue::Kind::kNumber;
        number(result);
    }
    return result;
  }

  void literal(std::string_view word) {
    check(text_.substr(position_, word.size()) == word, "unknown word");
    position_ += word.size();
  }

  void object(JsonValue& result, int depth) {
    expect('{');
    skip_space();
    if (take('}')) {
      return;
    }
    std::unordered_set<std::string> names;
    do {
      skip_space();
      check(peek() == '"', "expected a member's name");
      std::string name = string();
      check(names.insert(name).second, "repeated name '" + name + "'");
      skip_space();
      expect(':');
      result.members_.emplace_back(std::move(name), value(depth + 1));
      skip_space();
    } while (take(','));
    expect('}');
  }

  void array(JsonValue& result, int depth) {
    expect('[');
    skip_space();
    if (take(']')) {
      return;
    }
    do {
      result.items_.push_back(value(depth + 1));
      skip_space();
    } while (take(','));
    expect(']');
  }

  uint32_t hex4() {
    check(text_.size() - position_ >= 4, "cut-off \\u escape");
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i, ++position_) {
      const char c = text_[position_];
      const int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      check(digit >= 0, "bad \\u escape");
      code = code * 16 + static_cast<uint32_t>(digit);
    }
    return code;
  }

  void append_utf8(std::string& out, uint32_t code) {
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | (code >> 6));
      out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0 | (code >> 12));
      out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      out += static_cast<char>(0xF0 | (code >> 18));
      out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
      out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }

  std::string string() {
    expect('"');
    std::string out;
    while (true) {
      check(!at_end(), "a string is not closed");
      const char c = text_[position_];
      if (c == '"') {
        ++position_;
        return out;
      }
      check(static_cast<unsigned char>(c) >= 0x20, "control character in a string");
      ++position_;
      if (c != '\\') {
        out += c;
        continue;
      }
      check(!at_end(), "a string is not closed");
      const char escape = text_[position_++];
      switch (escape) {
        case '"': out += '"'; break;
        case '\\': out += '\\'; break;
        case '/': out += '/'; break;
        case 'b': out += '\b'; break;
        case 'f': out += '\f'; break;
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        case 'u': {
          uint32_t code = hex4();
          check(code < 0xDC00 || code > 0xDFFF, "lone low surrogate");
          if (code >= 0xD800 && code <= 0xDBFF) {
            check(take('\\') && take('u'), "lone high surrogate");
            const uint32_t low = hex4();
            check(low >= 0xDC00 && low <= 0xDFFF, "lone high surrogate");
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
          }
          append_utf8(out, code);
          break;
        }
        default:
          --position_;
          check(false, "unknown escape");
      }
    }
  }

  void number(JsonValue& result) {
    const size_t start = position_;
    bool integral = true;
    take('-');
    check(is_digit(peek()), "expected a value");
    if (!take('0')) {
      while (is_digit(peek())) {
        ++position_;
      }
    }
    if (take('.')) {
      integral = false;
      check(is_digit(peek()), "expected a digit");
      while (is_digit(peek())) {
        ++position_;
      }
    }
    if (peek() == 'e' || peek() == 'E') {
      integral = false;
      ++position_;
      if (!take('+')) {
        take('-');
      }
      check(is_digit(peek()), "expected a digit");
      while (is_digit(peek())) {
        ++position_;
      }
    }
    const char* begin = text_.data() + start;
    const char* end = text_.data() + position_;
    const auto parsed = std::from_chars(begin, end, result.number_);
    check(parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(result.number_), "number out of range");
    if (integral) {
      const auto whole = std::from_chars(begin, end, result.integer_);
      result.integral_ = whole.ec == std::errc() && whole.ptr == end;
    }
  }

  std::string_view text_;
  JsonLimits limits_;
  size_t position_ = 0;
};

#define VT_JSON_KIND(expected, what) VT_CHECK_ARG(kind_ == Kind::expected, "JSON: expected ", what, ", found ", name_of(kind_))

bool JsonValue::as_bool() const {
  VT_JSON_KIND(kBool, "a boolean");
  return bool_;
}

double JsonValue::as_number() const {
  VT_JSON_KIND(kNumber, "a number");
  return number_;
}

int64_t JsonValue::as_integer() const {
  VT_JSON_KIND(kNumber, "a whole number");
  VT_CHECK_ARG(integral_, "JSON: expected a whole number of at most 64 bits, found ", number_);
  return integer_;
}

const std::string& JsonValue::as_string() const {
  VT_JSON_KIND(kString, "a string");
  return string_;
}

const std::vector<JsonValue>& JsonValue::items() const {
  VT_JSON_KIND(kArray, "an array");
  return items_;
}

const std::vector<JsonValue::Member>& JsonValue::members() const {
  VT_JSON_KIND(kObject, "an object");
  return members_;
}

const JsonValue* JsonValue::find(std::string_view name) const {
  for (const auto& [member_name, value] : members()) {
    if (member_name == name) {
      return &value;
    }
  }
  return nullptr;
}

const JsonValue& JsonValue::at(std::string_view name) const {
  const JsonValue* value = find(name);
  VT_CHECK_ARG(value != nullptr, "JSON: no member '", name, "'");
  return *value;
}

JsonValue parse_json(std::string_view text, const JsonLimits& limits) { return JsonReader(text, limits).document(); }

std::string json_quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace valetts
