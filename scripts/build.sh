#!/usr/bin/env bash
# Builds the native core and valetts.jar, which is left at the top of the checkout. What is up to date is left alone.
#
#   scripts/build.sh [--force]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$CHECKOUT"
load_toolchain || { scripts/setup.sh; load_toolchain; }

# One hash of everything the jar is made from: sources, build files, libtorch, JDK, compiler.
inputs() {
  {
    find native cmake java/src/main configs pom.xml java/pom.xml CMakeLists.txt CMakePresets.json LICENSE NOTICE \
      scripts/build.sh -path native/tests -prune -o -type f -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0 sha256sum
    cat "$TOOLCHAIN" "$JAVA_HOME/release" "$(torch_of "$VALETTS_PYTHON")/version.py"
    "${CXX:-g++}" --version
  } | sha256sum | cut -d' ' -f1
}

wanted=$(inputs)
if [ "${1:-}" != --force ] && [ -f valetts.jar ] && [ "$(cat build/inputs.sha256 2>/dev/null)" = "$wanted" ]; then
  say "valetts.jar is up to date."
  exit 0
fi

native() {
  cmake --preset cpu -DVALETTS_PYTHON="$VALETTS_PYTHON" >build/cmake.log || { tail -n 30 build/cmake.log; return 1; }
  cmake --build --preset cpu --parallel "$(jobs_at_once)" --target valetts valettsenv jnivaletts
}

began=$EPOCHREALTIME
[ -d "$HOME/.m2/repository" ] || say "Maven's folder is empty: the Java libraries are downloaded now, once."
stage "Java classes" maven process-classes
stage "Native core" native
stage "valetts.jar" maven package -DskipTests
printf '%s\n' "$wanted" >build/inputs.sha256
say "Built valetts.jar in $(seconds_since "$began") s: $CHECKOUT/valetts.jar"
