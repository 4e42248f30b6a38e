// Where the parity fixtures are, and how a test says that it cannot run.
#pragma once

#include <doctest/doctest.h>

#include <string>

namespace valetts::testing {

// The folder: the environment variable VALETTS_FIXTURES, else ../shared/fixtures beside the checkout.
std::string fixtures_folder();
std::string fixture_path(const std::string& name);
bool file_exists(const std::string& path);

// Counts and prints one skipped test case. With VALETTS_REQUIRE_FIXTURES=1 it fails the test case instead.
void count_skip(const std::string& reason);

}  // namespace valetts::testing

// Leaves the test case, counted as skipped, unless the fixture is there. Defines `variable`, its path.
#define VT_FIXTURE(variable, name)                                                     \
  const std::string variable = ::valetts::testing::fixture_path(name);                 \
  if (!::valetts::testing::file_exists(variable)) {                                    \
    ::valetts::testing::count_skip(std::string("no fixture ") + variable);             \
    return;                                                                            \
  }
