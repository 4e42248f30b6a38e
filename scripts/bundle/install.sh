#!/usr/bin/env bash
# Builds the core of an unpacked bundle against this machine's own torch, with all cores; no network, no Java, no root.
# Afterwards ./valetts beside this file runs any command.
#
#   ./install.sh [--cpu]
#
# --cpu leaves the CUDA kernels out. VALETTS_PYTHON names the Python whose torch (2.11 to 2.14) is to be used.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
export HOME=${HOME:-$here}
. "$here/scripts/environment.sh"
cd "$here"

cpu=false
for option; do
  case $option in
    --cpu) cpu=true ;;
    --help | -h) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) STATUS=2 fail "unknown option $option; there is only --cpu" ;;
  esac
done
began=$EPOCHREALTIME

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
  fail "this bundle is for 64-bit Intel or AMD Linux; this is $(uname -s) on $(uname -m)."
[ -w "$here" ] || fail "$here cannot be written to; unpack the bundle where you may write."
runtime/bin/java -version >/dev/null 2>"$here/java.log" ||
  fail "the bundle's Java does not run here (it needs glibc 2.34 or newer): $(head -n 1 "$here/java.log")"
rm -f "$here/java.log"

# A Python and the torch it has, for the message.
describe_python() {
  "$1" - 2>/dev/null <<'PY' || printf '%s does not run' "$1"
import importlib.util, os, re, sys
spec = importlib.util.find_spec("torch")
torch = "no torch"
if spec and spec.submodule_search_locations:
    text = open(os.path.join(spec.submodule_search_locations[0], "version.py")).read()
    torch = "torch " + re.search(r"__version__ *= *'([^']*)", text).group(1)
print(f"{sys.executable} has {torch}", end="")
PY
}

joined() { local text=$1; shift; for part; do text+="; $part"; done; printf '%s' "$text"; }

# Every missing piece is named, not only the first.
missing=()
python='' looked=()
for candidate in "${VALETTS_PYTHON:-}" "$(command -v python3 || true)" "$(command -v python || true)" /usr/bin/python3; do
  [ -n "$candidate" ] || continue
  if torch_of "$candidate" >/dev/null; then
    python=$(command -v "$candidate")
    break
  fi
  looked+=("$(describe_python "$candidate")")
  # A Python that was named is not passed over in silence.
  if [ "$candidate" = "${VALETTS_PYTHON:-}" ]; then break; fi
done
[ -n "$python" ] ||
  missing+=("a Python with torch 2.11 to 2.14, headers included; VALETTS_PYTHON=/path/to/python names one. Found: $(joined "${looked[@]:-no Python at all}")")
# pip installs CMake and Ninja beside its Python.
[ -z "$python" ] || PATH=$PATH:$(dirname "$python")
has_cmake || missing+=("CMake 3.22 or newer (pip install cmake will do)")
command -v ninja >/dev/null || command -v make >/dev/null || missing+=("Ninja or make")
has_cxx20 || missing+=("a C++20 compiler: g++ 11 or newer (CXX=/path/to/g++ names another)")
if [ "${#missing[@]}" -gt 0 ]; then
  printf 'error: missing here: %s\n' "${missing[@]}" >&2
  exit 3
fi

torch=$(torch_of "$python")
{ read -r preset && read -r reason; } < <(choose_preset "$torch")
if $cpu; then preset=cpu reason='without CUDA kernels: --cpu leaves them out.'; fi
say "libtorch from $torch
Core $reason"

native() {
  local cuda=OFF
  if [ "$preset" = cuda ]; then cuda=ON; fi
  cmake -S . -B build/core -G "$(cmake_generator)" -DCMAKE_BUILD_TYPE=Release -DVALETTS_CUDA="$cuda" -DVALETTS_TESTS=OFF -DVALETTS_WERROR=OFF \
    -DVALETTS_PYTHON="$python" -DVALETTS_JNI_GLUE_DIR="$here/glue" -DVALETTS_JNI_INCLUDE="$here/glue/include" \
    >build/cmake.log 2>&1 || { tail -n 30 build/cmake.log >&2; return 1; }
  cmake --build build/core --parallel "$(jobs_at_once)" --target valetts valettsenv jnivaletts >build/core.log 2>&1 ||
    { tail -n 40 build/core.log >&2; return 1; }
}

mkdir -p build
rm -rf build/core lib
stage "Native core" native || fail "the core could not be built; the lines above say why, all of them are in $here/build"
mkdir lib
cp build/core/lib/lib{valettsenv,valetts,jnivaletts}.so lib/
printf '%s\n' "$preset" >build/preset
printf 'VALETTS_PYTHON=%q\n' "$python" >build/python.env
if [ -d checks/packed ] && [ ! -d checks/fixtures ]; then
  stage "Recorded tensors" "$python" scripts/bundle/fixtures.py unpack checks/packed checks/fixtures
fi
./valetts doctor || fail "the core is built, but this machine is not fit; the lines above say why"
say "Installed in $(seconds_since "$began") s: $here/valetts"
