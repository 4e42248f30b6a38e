#!/usr/bin/env bash
# Builds the native core and valetts.jar, which is left at the top of the checkout. What is up to date is left alone.
#
#   scripts/build.sh [--cpu] [--force]
#
# Where torch is a CUDA build and an nvcc of the same CUDA is there, the core gets the CUDA kernels; --cpu leaves them out.
# --force builds again what is up to date.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$CHECKOUT"

force=false cpu=false
for option; do
  case $option in
    --force) force=true ;;
    --cpu) cpu=true ;;
    --help | -h) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) STATUS=2 fail "unknown option $option; there are --cpu and --force" ;;
  esac
done
load_toolchain || { scripts/setup.sh; load_toolchain; }

{ read -r preset && read -r reason; } < <(choose_preset "$(torch_of "$VALETTS_PYTHON")")
if $cpu && [ "$preset" != cpu ]; then
  preset=cpu reason='without CUDA kernels: --cpu leaves them out.'
fi

# One hash of everything the jar is made from: sources, build files, preset, libtorch, JDK, compiler.
inputs() {
  {
    echo "$preset"
    find native cmake java/src/main configs pom.xml java/pom.xml CMakeLists.txt CMakePresets.json LICENSE NOTICE \
      scripts/build.sh -path native/tests -prune -o -type f -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0 sha256sum
    cat "$TOOLCHAIN" "$JAVA_HOME/release" "$(torch_of "$VALETTS_PYTHON")/version.py"
    "${CXX:-g++}" --version
  } | sha256sum | cut -d' ' -f1
}

wanted=$(inputs)
if ! $force && [ -f valetts.jar ] && [ "$(cat build/inputs.sha256 2>/dev/null)" = "$wanted" ]; then
  say "valetts.jar is up to date (core $reason)"
  exit 0
fi

native() {
  say "   $reason"
  cmake --preset "$preset" -DVALETTS_PYTHON="$VALETTS_PYTHON" >build/cmake.log || { tail -n 30 build/cmake.log; return 1; }
  cmake --build --preset "$preset" --parallel "$(jobs_at_once)" --target valetts valettsenv jnivaletts
}

began=$EPOCHREALTIME
# Read by Maven's wrapper and by the tests. Until the jar is made, no hash says that it is.
rm -f build/inputs.sha256
printf '%s\n' "$preset" >build/preset
# Maven copies what is newer, and the core of another preset may be older.
rm -rf java/target/classes/ai/valetts/engine/jni/linux-x86_64
[ -d "$HOME/.m2/repository" ] || say "Maven's folder is empty: the Java libraries are downloaded now, once."
stage "Java classes" maven process-classes
stage "Native core" native
stage "valetts.jar" maven package -DskipTests
printf '%s\n' "$wanted" >build/inputs.sha256
say "Built valetts.jar in $(seconds_since "$began") s: $CHECKOUT/valetts.jar"
