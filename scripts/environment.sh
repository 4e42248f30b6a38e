# shellcheck shell=bash
# Sourced by the other scripts: where things are, and what set-up found. Sets no shell options.

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
: "${HOME:?HOME must name your home folder}"
CACHE=${VALETTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/valetts}
TOOLCHAIN=$CHECKOUT/build/toolchain.env # written by setup.sh: VALETTS_PYTHON, JAVA_HOME
export VALETTS_CACHE=$CACHE

say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit "${STATUS:-1}"; }

# Runs a command under a title and prints how long it took.
stage() {
  local title=$1 began=$EPOCHREALTIME status=0
  shift
  say "== $title"
  "$@" || status=$?
  printf '   %s: %s s\n' "$title" "$(seconds_since "$began")"
  return "$status"
}

seconds_since() {
  local now=$EPOCHREALTIME
  local tenths=$(((${now/[.,]/} - ${1/[.,]/}) / 100000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

has_cmake() {
  local version
  version=$(cmake --version 2>/dev/null | sed -n 's/^cmake version //p')
  [ -n "$version" ] && [ "$(printf '3.22\n%s\n' "$version" | sort -V | head -n 1)" = 3.22 ]
}
cmake_generator() { if command -v ninja >/dev/null; then echo Ninja; else echo 'Unix Makefiles'; fi; }
has_cxx20() { echo 'int main() { return 0; }' | "${CXX:-g++}" -std=c++20 -fsyntax-only -x c++ - 2>/dev/null; }

# The torch package folder of a Python, if its version is one the core is written for. Looks without importing it.
torch_of() {
  "$1" - 2>/dev/null <<'PY'
import importlib.util, os, re, sys
spec = importlib.util.find_spec("torch")
if spec is None or not spec.submodule_search_locations:
    sys.exit(1)
folder = spec.submodule_search_locations[0]
found = re.search(r"__version__ *= *'(\d+)\.(\d+)", open(os.path.join(folder, "version.py")).read())
fits = found and found.group(1) == "2" and 11 <= int(found.group(2)) <= 14
whole = all(os.path.exists(os.path.join(folder, part)) for part in ("include/ATen/ATen.h", "lib/libtorch_cpu.so"))
if not (fits and whole):
    sys.exit(1)
print(folder)
PY
}

# The CUDA major version a torch folder is built for, e.g. 13; nothing for a CPU build. No import: that takes seconds.
cuda_of_torch() {
  [ -f "$1/lib/libtorch_cuda.so" ] || return 0
  sed -n "s/^cuda\b[^=]*= *'\([0-9]*\).*/\1/p" "$1/version.py"
}

# nvcc's full path, if there is one.
find_nvcc() {
  local nvcc
  for nvcc in "${CUDACXX:-}" "${CUDA_HOME:+$CUDA_HOME/bin/nvcc}" "$(command -v nvcc || true)" /usr/local/cuda/bin/nvcc; do
    if [ -n "$nvcc" ] && [ -x "$nvcc" ]; then
      printf '%s\n' "$nvcc"
      return
    fi
  done
}

cuda_of_nvcc() { "$1" --version 2>/dev/null | sed -n 's/.*release \([0-9]*\)\..*/\1/p'; }

# Which core fits a torch folder and the compilers here: prints the CMake preset, then a sentence that says why.
choose_preset() {
  local torch=$1 wheel nvcc toolkit
  wheel=$(cuda_of_torch "$torch")
  nvcc=$(find_nvcc)
  if [ -z "$wheel" ]; then
    printf 'cpu\nfor the CPU: the torch in %s is a CPU build.\n' "$torch"
  elif [ -z "$nvcc" ]; then
    printf 'cpu\nwithout CUDA kernels: torch has CUDA %s, but there is no nvcc (put it on PATH, or set CUDA_HOME).\n' "$wheel"
  else
    toolkit=$(cuda_of_nvcc "$nvcc")
    if [ "$toolkit" = "$wheel" ]; then
      printf 'cuda\nwith CUDA kernels: torch and %s are both of CUDA %s.\n' "$nvcc" "$wheel"
    else
      printf 'cpu\nwithout CUDA kernels: torch has CUDA %s, but %s is of CUDA %s.\n' "$wheel" "$nvcc" "${toolkit:-unknown}"
    fi
  fi
}

# The preset that the last build chose.
built_preset() { cat "$CHECKOUT/build/preset" 2>/dev/null || echo cpu; }

# Maven follows the account's home folder, not $HOME; a home without a right to write would stop it.
maven() {
  MAVEN_OPTS="-Duser.home=$HOME -Djansi.noreset=true ${MAVEN_OPTS:-}" mvn -q -B -ntp -Dstyle.color=never -f "$CHECKOUT/pom.xml" \
    -Dvaletts.native.directory="$CHECKOUT/build/$(built_preset)/lib" "$@"
}

# Compilers at work at once: one for each core, with about 2 GB of memory each.
jobs_at_once() {
  local cores memory
  cores=$(nproc 2>/dev/null || echo 1)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 2000000) }' /proc/meminfo 2>/dev/null)
  [ -n "$memory" ] && [ "$memory" -lt "$cores" ] && cores=$memory
  [ "$cores" -lt 1 ] && cores=1
  echo "$cores"
}

load_toolchain() {
  [ -f "$TOOLCHAIN" ] || return 1
  # shellcheck disable=SC1090
  . "$TOOLCHAIN"
  if [ ! -x "$JAVA_HOME/bin/javac" ] || [ ! -x "$VALETTS_PYTHON" ]; then return 1; fi
  export JAVA_HOME VALETTS_PYTHON PATH="$JAVA_HOME/bin:$PATH"
}
