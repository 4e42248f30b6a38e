#!/usr/bin/env bash
# Builds valetts_kernel_benchmarks and valetts_peer_kernels beside the core, in a checkout and in an installed bundle alike,
# and prints their folder.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/environment.sh"
cd "$CHECKOUT"
mkdir -p build
if [ -d runtime ]; then
  . build/python.env
  folder=build/core
else
  load_toolchain
  folder=build/$(built_preset)
fi
# What the core was configured with stays as it is.
generator=()
if [ ! -f "$folder/CMakeCache.txt" ]; then generator=(-G "$(cmake_generator)"); fi
cmake -S . -B "$folder" "${generator[@]}" -DVALETTS_BENCHMARKS=ON -DVALETTS_PYTHON="$VALETTS_PYTHON" >build/benchmarks.log 2>&1 &&
  cmake --build "$folder" --parallel "$(jobs_at_once)" --target valetts_kernel_benchmarks valetts_peer_kernels \
    >>build/benchmarks.log 2>&1 || { tail -n 30 build/benchmarks.log >&2; exit 1; }
printf '%s\n' "$CHECKOUT/$folder/bin"
