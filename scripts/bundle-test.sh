#!/usr/bin/env bash
# Proves the bundle on this machine: makes the archive of the checks, unpacks it elsewhere, and installs and uses it with an
# empty environment, without Java and Maven on the PATH and, where the system allows it, without a network.
#
#   scripts/bundle-test.sh [--full]     --full does the same with the whole archive
#
# Writes build/bundle-test.xml (JUnit). Without the recorded tensors of the public reference everything is skipped.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$CHECKOUT"

full=false
if [ "${1:-}" = --full ]; then full=true; fi
report=build/bundle-test.xml cases='' passed=0 failed=0 skipped=0
fixtures=${VALETTS_FIXTURES:-$CHECKOUT/../shared/fixtures}

finish() {
  printf '<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="bundle" tests="%d" failures="%d" errors="0" skipped="%d">\n%s</testsuite>\n' \
    $((passed + failed + skipped)) "$failed" "$skipped" "$cases" >"$report"
  say "bundle: $passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
  exit
}

# check NAME COMMAND...: a test case; its output is shown when it fails.
check() {
  local name=$1 began=$EPOCHREALTIME
  shift
  # Not as the condition itself: within one, bash would not stop at the first command that fails.
  ("$@") >"$place/case.log" 2>&1 &
  if wait "$!"; then
    passed=$((passed + 1))
    cases+="  <testcase classname=\"bundle\" name=\"$name\"/>"$'\n'
    say "passed  $name ($(seconds_since "$began") s)"
  else
    failed=$((failed + 1))
    cases+="  <testcase classname=\"bundle\" name=\"$name\"><failure/></testcase>"$'\n'
    say "FAILED  $name ($(seconds_since "$began") s)"
    sed 's/^/        /' "$place/case.log" | tail -n 60
  fi
}

# A command that has to end with a status and say something.
expect() { # STATUS TEXT COMMAND...
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >"$place/said" 2>&1 || status=$?
  cat "$place/said"
  [ "$status" -eq "$wanted" ] || { say "exit status $status, expected $wanted"; return 1; }
  [ -z "$text" ] || grep -qF -- "$text" "$place/said" || { say "did not say: $text"; return 1; }
}

# Programs that a host may have; no Java, no Maven, no package client.
make_path() {
  local program found
  mkdir -p "$place/bin"
  for program in bash sh env tar xz python3 g++ gcc c++ cc cmake ninja as ld ar ranlib nm uname dirname basename readlink \
    realpath sed grep awk cut head tail sort uniq tr wc cat cp mv rm mkdir mktemp tee timeout date nproc stat ls find id \
    touch chmod printf true false test sleep nvcc expr kill ${CMAKE_CXX_COMPILER_LAUNCHER:-}; do
    found=$(command -v "$program") || continue
    case $found in /*) ln -sf "$(readlink -f "$found")" "$place/bin/$program" ;; esac
  done
}

# On that host: an empty environment and, where possible, no network.
there() {
  local isolate=()
  if unshare -rn true 2>/dev/null; then isolate=(unshare -rn); fi
  "${isolate[@]}" env -i PATH="$place/bin" HOME="$place/home" VALETTS_PYTHON="$VALETTS_PYTHON" \
    ${CMAKE_CXX_COMPILER_LAUNCHER:+CMAKE_CXX_COMPILER_LAUNCHER="$CMAKE_CXX_COMPILER_LAUNCHER"} \
    ${CMAKE_C_COMPILER_LAUNCHER:+CMAKE_C_COMPILER_LAUNCHER="$CMAKE_C_COMPILER_LAUNCHER"} \
    ${CMAKE_CXX_COMPILER_LAUNCHER:+CCACHE_DIR="${CCACHE_DIR:-$HOME/.cache/ccache}" CCACHE_BASEDIR="$place"} "$@"
}

unpack() { rm -rf "${place:?}/$1" && there tar xJf "build/bundle/$1.tar.xz" -C "$place" && [ -x "$place/$1/install.sh" ]; }

# The archive's checks of itself.
no_foreign_paths() {
  tar tJf "build/bundle/$1.tar.xz" >"$place/contents"
  grep -q "^$1/install.sh$" "$place/contents"
  expect 1 '' grep -vE "^$1/" "$place/contents"
  expect 1 '' grep -E '(^|/)\.\.(/|$)|/libvaletts\.so$|\.(pt|pth|ckpt)$' "$place/contents"
}

# The configuration for a dozen clips on a host without espeak-ng.
settings=(--set data.validationClips=2 --set validation.audioClips=1 --set text.frontEnd=characters --set text.normalization=none)

trains() { # FOLDER
  expect 0 "reached its limit of 4 steps" there "$1/valetts" train --demo --data "$place/valetts-checks/checks/demo:ana:en-us" \
    --run "$place/run" --steps 4 "${settings[@]}"
}

needs_a_decoder_for_another_rate() { # FOLDER
  there "$1/valetts" prepare --demo --data "$1/checks/demo:ana:en-us" "${settings[@]}" --set audio.sampleRateHz=22050 \
    >"$place/said" 2>&1 || true
  cat "$place/said"
  grep -q "FFmpeg's libraries cannot be loaded" "$place/said"
}

appends_to_the_ledger() {
  local copy=$place/ledger
  rm -rf "$copy"
  mkdir -p "$copy/docs" "$copy/build"
  cp -r scripts "$copy/"
  cp docs/gpu-ledger.md "$copy/docs/"
  printf '| 2026-11-24 | kernels | a GPU, driver 1, torch 2.11.0 | abc | passed: 1 kernel check |\n' >"$copy/lines"
  printf '| 2026-11-24 | train | a GPU, driver 1, torch 2.11.0 | abc | FAILED: not falling |\n' >>"$copy/lines"
  "$copy/scripts/gpu-checks.sh" --append "$copy/lines"
  grep -q '^| 2026-11-24 | kernels ' "$copy/docs/gpu-ledger.md"
  expect 1 '' grep '^| `kernels`' "$copy/docs/gpu-ledger.md"
  # A failure is written down, and is no measurement.
  grep -q '^| 2026-11-24 | train ' "$copy/docs/gpu-ledger.md"
  grep -q '^| `train`' "$copy/docs/gpu-ledger.md"
  cp "$copy/docs/gpu-ledger.md" "$copy/before"
  echo 'anything' >"$copy/lines"
  expect 1 "no lines of the ledger" "$copy/scripts/gpu-checks.sh" --append "$copy/lines"
  cmp "$copy/before" "$copy/docs/gpu-ledger.md"
}

every_stage_has_a_row_or_a_line() {
  local stage
  while read -r stage _; do
    grep -qE "^\| (\`$stage\`|[0-9-]+ \| $stage \|)" docs/gpu-ledger.md || { say "$stage is not in docs/gpu-ledger.md"; return 1; }
  done < <(scripts/gpu-checks.sh --list)
}

scripts/build.sh
load_toolchain
mkdir -p build
place=$(mktemp -d "${TMPDIR:-/tmp}/valetts-bundle-test-XXXXXX")
trap 'rm -rf "$place"' EXIT
if [ ! -f "$fixtures/README.md" ]; then
  say "The recorded tensors of the public reference are not in $fixtures: the bundle is NOT tested."
  skipped=1
  finish
fi
make_path
export VALETTS_FIXTURES=$fixtures

name=valetts-checks folder=$place/valetts-checks
check "an archive of at most 25 MB is made" scripts/bundle.sh --checks
check "it holds nothing but its own folder, and no built core" no_foreign_paths "$name"
check "plain tar unpacks it" unpack "$name"
check "the launcher says that the core is not built" expect 1 "run $folder/install.sh" there "$folder/valetts" doctor
check "a Python without torch is named" expect 3 "torch 2.11 to 2.14" there VALETTS_PYTHON="$place/bin/false" "$folder/install.sh"
check "every missing tool is named" expect 3 "C++20 compiler" there CXX=/no/such/compiler "$folder/install.sh"
check "it builds the core and the machine is fit" expect 0 "This machine is fit to train on the" there "$folder/install.sh" --cpu
check "the recorded tensors are restored to the bit" diff -r "$fixtures" "$folder/checks/fixtures"
check "it trains on plain WAV without a decoder" trains "$folder"
check "another rate is refused with the reason" needs_a_decoder_for_another_rate "$folder"
check "without a GPU every stage is skipped" expect 77 "0 passed, 0 failed, 11 skipped" there "$folder/scripts/gpu-checks.sh"
check "VALETTS_REQUIRE_GPU makes that a failure" expect 1 "11 failed" there VALETTS_REQUIRE_GPU=1 "$folder/scripts/gpu-checks.sh"
check "the stages run, and a rehearsal measures nothing" expect 77 "0 passed, 0 failed, 11 skipped" \
  there OUT="$place/out" "$folder/scripts/gpu-checks.sh" --rehearse
check "a rehearsal leaves no line for the ledger" test ! -e "$place/out/ledger-lines.md"
check "without a GPU no benchmark measures anything" expect 77 "nothing was measured" there "$folder/benchmarks/run-all-gpus.sh"
check "training steps are timed without a compiler for Java" expect 77 "rehearsed on the CPU" \
  there "$folder/benchmarks/run-all-gpus.sh" --rehearse steps
check "an unknown stage is refused" expect 2 "there is no stage trian" there "$folder/scripts/gpu-checks.sh" trian
check "measured lines enter the ledger" appends_to_the_ledger
check "the ledger knows every stage" every_stage_has_a_row_or_a_line

if $full; then
  name=valetts folder=$place/valetts
  check "a whole archive of at most 70 MB is made" scripts/bundle.sh
  check "plain tar unpacks the whole archive" unpack "$name"
  check "the whole archive builds and decodes" expect 0 "FFmpeg reads and resamples" there "$folder/install.sh" --cpu
  rm -rf "$place/run"
  check "the whole archive trains" trains "$folder"
fi
finish
