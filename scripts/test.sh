#!/usr/bin/env bash
# Every test: layers, native core, CUDA sources, kernels against their plain paths, Java, border, training end to end, bundle.
# Sets up and builds what is missing.
#
#   scripts/test.sh [--full]     --full adds the native tests under the address and undefined-behaviour sanitizers, and the
#                                whole bundle beside that of the checks
#
# Ends with "N passed, N failed, N skipped" over all runners; the exit status is 0 only if none failed. With
# VALETTS_REQUIRE_GPU=1 a skipped test is a failure.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$CHECKOUT"

full=false
case ${1:-} in
  --full) full=true ;;
  '') ;;
  *) STATUS=2 fail "unknown option $1; there is only --full" ;;
esac

passed=0 failed=0 skipped=0
table=''

# Adds up `tests="..." failures="..." errors="..." skipped="..."` of JUnit report files: prints "total bad skipped".
count_reports() {
  cat "$@" 2>/dev/null | tr '\n' ' ' | grep -o '<testsuite [^>]*' | awk '
    function value(key) { return match($0, "[ \t]" key "=\"[0-9]+\"") ? substr($0, RSTART + length(key) + 3) + 0 : 0 }
    { total += value("tests"); bad += value("failures") + value("errors")
      left += value("skipped") + value("disabled") }
    END { print total + 0, bad + 0, left + 0 }' || echo 0 0 0
}

# lane TITLE REPORTS COMMAND...: runs the command and counts what its JUnit reports (a glob) say.
lane() {
  local title=$1 reports=$2 began=$EPOCHREALTIME status=0 total bad left
  shift 2
  say "== $title"
  # shellcheck disable=SC2086 # a glob
  rm -f $reports
  "$@" || status=$?
  # shellcheck disable=SC2086
  read -r total bad left < <(count_reports $reports)
  # A runner that fails without a failed test (a crash, no report) counts as one failure.
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
    bad=1
    total=$((total + 1))
  fi
  # A lane that finds nothing to run has lost its tests.
  if [ "$total" -eq 0 ]; then
    bad=1 total=1
    say "$title: no test ran"
  fi
  record "$title" "$((total - bad - left))" "$bad" "$left" "$(seconds_since "$began")"
}

record() {
  passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
  table+=$(printf '%-28s %7d %7d %7d %9s s' "$@")$'\n'
}

finish() {
  if [ "${VALETTS_REQUIRE_GPU:-}" = 1 ] && [ "$skipped" -gt 0 ]; then
    say "VALETTS_REQUIRE_GPU=1: $skipped skipped tests count as failed."
    failed=$((failed + skipped)) skipped=0
  fi
  printf '\n%-28s %7s %7s %7s %11s\n%s' stage passed failed skipped time "$table"
  say "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
  exit
}

native_tests() { # preset
  cmake --preset "$1" --no-warn-unused-cli -DVALETTS_PYTHON="$VALETTS_PYTHON" >"build/cmake-$1.log" || { cat "build/cmake-$1.log"; return 1; }
  cmake --build --preset "$1" --parallel "$(jobs_at_once)" &&
    ctest --preset "$1" --output-junit "$CHECKOUT/build/ctest-$1.xml"
}

began=$EPOCHREALTIME
if scripts/setup.sh && scripts/build.sh; then
  record "Set-up and build" 0 0 0 "$(seconds_since "$began")"
else
  record "Set-up and build" 0 1 0 "$(seconds_since "$began")"
  finish
fi
load_toolchain

# A real PyTorch writes and reads the public formats' files in the tests. Its Python side needs what libtorch, which is
# all that set-up installs, does without.
ready_python() {
  "$VALETTS_PYTHON" -c 'import typing_extensions' 2>/dev/null ||
    "$VALETTS_PYTHON" -m pip install --quiet --no-compile --no-deps typing_extensions==4.16.0 >build/pip-tests.log 2>&1 ||
    { tail -n 5 build/pip-tests.log; say "torch cannot be imported into Python: tests that need it will fail."; }
}
ready_python

# A real browser opens the run's page.
ready_browser() {
  local name
  for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then return; fi
  done
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null &&
    { apt-get install -y -qq --no-install-recommends chromium || { apt-get update -qq &&
      apt-get install -y -qq --no-install-recommends chromium; }; } </dev/null >build/apt-tests.log 2>&1; then
    return
  fi
  say "There is no Chromium here: the page of a run is NOT opened in a browser (skips are counted)."
}
ready_browser

# The recorded numbers of the public reference lie beside the checkout, if at all.
fixtures=${VALETTS_FIXTURES:-$CHECKOUT/../shared/fixtures}
if [ -d "$fixtures" ]; then
  export VALETTS_REQUIRE_FIXTURES=1
else
  say "No reference fixtures in $fixtures: the core's parity with the public reference is NOT checked (skips are counted)."
fi

surefire='java/target/surefire-reports/TEST-*.xml'
lane "Java" "$surefire" maven test
preset=$(built_preset)
lane "Native core" "build/ctest-$preset.xml" native_tests "$preset"
if [ -n "$(find_nvcc)" ]; then
  lane "CUDA sources (nvcc)" build/ctest-cuda-kernels.xml native_tests cuda-kernels
else
  say "== CUDA sources: skipped, there is no nvcc here"
  record "CUDA sources (nvcc)" 0 0 1 0.0
fi
lane "Kernels beat plain paths" build/benchmark-smoke.xml benchmarks/smoke.sh
lane "Border" "$surefire" maven surefire:test -Dvaletts.groups=native -Dvaletts.excludedGroups=e2e
kills=8
if $full; then kills=50; fi
lane "End to end" "$surefire" maven surefire:test -Dvaletts.groups=e2e -Dvaletts.excludedGroups=none -Dvaletts.kills=$kills
options=()
if $full; then options=(--full); fi
lane "Bundle" build/bundle-test.xml scripts/bundle-test.sh "${options[@]}"
if $full; then
  lane "Native core, sanitizers" build/ctest-asan.xml native_tests asan
fi
say "All stages took $(seconds_since "$began") s."
finish
