// Runs the test cases; a skipped one is printed and counted, and turns exit status 0 into 77.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "fixtures.h"

namespace valetts::testing {
namespace {
int skipped = 0;

bool is_on(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && std::string(value) == "1";
}
}  // namespace

std::string fixtures_folder() {
  const char* folder = std::getenv("VALETTS_FIXTURES");
  return folder != nullptr && *folder != '\0' ? folder : VALETTS_DEFAULT_FIXTURES;
}

std::string fixture_path(const std::string& name) { return fixtures_folder() + "/" + name; }

bool file_exists(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0;
}

void count_skip(const std::string& reason) {
  if (is_on("VALETTS_REQUIRE_FIXTURES")) {
    FAIL("skipped although VALETTS_REQUIRE_FIXTURES=1: ", reason);
  }
  ++skipped;
  std::printf("SKIPPED: %s\n", reason.c_str());
}

}  // namespace valetts::testing

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const int result = context.run();
  if (context.shouldExit() || result != 0) {
    return result;
  }
  std::printf("skipped test cases: %d\n", valetts::testing::skipped);
  return valetts::testing::skipped > 0 ? 77 : 0;
}
