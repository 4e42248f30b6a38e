#include "core/json.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "core/check.h"

namespace valetts {
namespace {
std::string error_of(const std::string& text, const JsonLimits& limits = {}) {
  try {
    parse_json(text, limits);
  } catch (const Error& error) {
    CHECK(error.code() == StatusCode::kInvalidArgument);
    return error.what();
  }
  return "";
}
}  // namespace

TEST_SUITE_BEGIN("core/json");

TEST_CASE("reads every kind of value") {
  const JsonValue value = parse_json(
      " {\"z\": [1, -2.5e3, 0], \"a\": true, \"b\": false, \"n\": null, \"s\": \"x\", \"o\": {}, \"e\": [] } \n");
  REQUIRE(value.is_object());
  CHECK(value.members()[0].first == "z");  // the file's order
  CHECK(value.members()[1].first == "a");
  CHECK(value.at("z").items()[0].as_integer() == 1);
  CHECK(value.at("z").items()[1].as_number() == -2500.0);
  CHECK_FALSE(value.at("z").items()[1].is_integer());
  CHECK(value.at("a").as_bool());
  CHECK_FALSE(value.at("b").as_bool());
  CHECK(value.at("n").is_null());
  CHECK(value.at("s").as_string() == "x");
  CHECK(value.at("o").members().empty());
  CHECK(value.at("e").items().empty());
  CHECK(value.find("missing") == nullptr);
}

TEST_CASE("whole numbers are exact to 64 bits") {
  CHECK(parse_json("9223372036854775807").as_integer() == std::numeric_limits<int64_t>::max());
  CHECK(parse_json("-9223372036854775808").as_integer() == std::numeric_limits<int64_t>::min());
  CHECK(parse_json("9007199254740993").as_integer() == 9007199254740993);
  CHECK_FALSE(parse_json("9223372036854775808").is_integer());
  CHECK_THROWS_AS(parse_json("1.0").as_integer(), Error);
}

TEST_CASE("escapes become UTF-8") {
  CHECK(parse_json(R"("\"\\\/\b\f\n\r\t")").as_string() == "\"\\/\b\f\n\r\t");
  CHECK(parse_json(R"("\u0041\u00e9\u20AC\ud83d\ude00")").as_string() == "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  CHECK(parse_json("\"\xC3\xA9\"").as_string() == "\xC3\xA9");
  CHECK(parse_json(R"("\u0000")").as_string() == std::string(1, '\0'));
}

TEST_CASE("quoting survives the way back") {
  std::string text = "a\"b\\c\xC3\xA9";
  for (char c = 0; c < 32; ++c) {
    text += c;
  }
  CHECK(parse_json(json_quoted(text)).as_string() == text);
}

TEST_CASE("malformed text is refused with its byte") {
  CHECK(error_of("{\"a\": 1,}") == "JSON: expected a member's name at byte 8");
  CHECK(error_of("[1 2]") == "JSON: expected ']' at byte 3");
  CHECK(error_of("{\"a\":1,\"a\":2}").find("repeated name 'a' at byte 10") != std::string::npos);
  for (const char* text : {"", " ", "{", "[", "[1,]", "\"abc", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"",
                           "\"\\udc00\"", "01", "-", "+1", "1.", ".5", "1e", "1e999", "nul", "True", "{1:2}", "{\"a\"}",
                           "1 1", "[1]]", "\"\n\"", "NaN", "'a'", "/*c*/1"}) {
    CAPTURE(text);
    CHECK(error_of(text).find(" at byte ") != std::string::npos);
  }
  CHECK(error_of(std::string("[1\0]", 4)) == "JSON: expected ']' at byte 2");
}

TEST_CASE("depth and size are limited") {
  CHECK(error_of(std::string(100000, '[')).find("nested deeper than 64") != std::string::npos);
  CHECK(parse_json(std::string(64, '[') + std::string(64, ']')).is_array());
  JsonLimits limits;
  limits.max_bytes = 3;
  CHECK(error_of("1234", limits).find("more than the allowed 3") != std::string::npos);
}

TEST_CASE("asking for another kind names both") {
  CHECK_THROWS_WITH_AS(parse_json("[]").as_string(), "JSON: expected a string, found an array", Error);
  CHECK_THROWS_WITH_AS(parse_json("{}").at("x"), "JSON: no member 'x'", Error);
}

TEST_SUITE_END();

}  // namespace valetts
