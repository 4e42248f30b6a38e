#!/usr/bin/env bash
# Makes this machine able to build and run ValeTTS: compilers and libraries from the system's package client, libtorch
# from a torch wheel. Installs only what is missing, removes nothing, and is quick when nothing is.
#
#   scripts/setup.sh
#
# VALETTS_PYTHON names a Python whose torch (2.11 to 2.14) is to be used; VALETTS_CACHE another cache folder.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
began=$EPOCHREALTIME

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
  fail "ValeTTS runs on 64-bit Intel or AMD Linux; this is $(uname -s) on $(uname -m)."

# A JDK 17 or newer: the folder, or nothing.
find_jdk() {
  local javac home version
  for javac in "${JAVA_HOME:+$JAVA_HOME/bin/javac}" "$(command -v javac || true)" /usr/lib/jvm/*/bin/javac; do
    [ -x "$javac" ] || continue
    home=$(dirname "$(dirname "$(readlink -f "$javac")")")
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release" 2>/dev/null || true)
    if [ -n "$version" ] && [ "$version" -ge 17 ] && [ -f "$home/include/jni.h" ]; then
      printf '%s\n' "$home"
      return
    fi
  done
}

has_library() { PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep "$1" >/dev/null; }
has_espeak_data() { compgen -G '/usr/lib/*/espeak-ng-data' >/dev/null || [ -d /usr/share/espeak-ng-data ]; }
can_make_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }
a_python_for_venv() {
  local python
  for python in "$(command -v python3 || true)" /usr/bin/python3; do
    if [ -n "$python" ] && can_make_venv "$python"; then
      printf '%s\n' "$python"
      return
    fi
  done
}

# The Python to take libtorch from: the one named, the machine's, or the private one that is made below.
venv=$CACHE/venv-torch-2.13.0
find_torch_python() {
  local python
  if [ -n "${VALETTS_PYTHON:-}" ]; then
    torch_of "$VALETTS_PYTHON" >/dev/null ||
      fail "VALETTS_PYTHON names $VALETTS_PYTHON, which has no torch of version 2.11 to 2.14 with headers."
    command -v "$VALETTS_PYTHON"
    return
  fi
  for python in "$(command -v python3 || true)" /usr/bin/python3; do
    if [ -n "$python" ] && [ -x "$python" ] && torch_of "$python" >/dev/null; then
      printf '%s\n' "$python"
      return
    fi
  done
  if [ -f "$venv/complete" ] && torch_of "$venv/bin/python3" >/dev/null; then
    printf '%s\n' "$venv/bin/python3"
  fi
}

missing_packages() {
  [ -n "$(find_jdk)" ] || echo jdk
  command -v mvn >/dev/null || echo maven
  has_cmake || echo cmake
  command -v ninja >/dev/null || echo ninja-build
  has_cxx20 || echo g++
  [ -f /usr/include/doctest/doctest.h ] || echo doctest-dev
  { has_library libespeak-ng.so.1 && has_espeak_data; } || echo espeak-ng
  has_library libudev.so.1 || echo libudev1
  if ! command -v python3 >/dev/null; then
    echo python3
    echo python3-venv
  elif [ -z "$torch_python" ] && [ -z "$(a_python_for_venv)" ]; then
    echo python3-venv
  fi
}

install_packages() {
  local packages=("$@") sudo=() jdk i
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      sudo=(sudo -n)
    else
      packages=("${packages[@]/#jdk/default-jdk-headless}")
      STATUS=3 fail "these packages are missing and installing them needs root. Run this line, then this script again:
  sudo apt-get update && sudo apt-get install -y ${packages[*]}"
    fi
  fi
  say "Installing with apt-get: ${packages[*]}"
  "${sudo[@]}" apt-get update -qq
  for i in "${!packages[@]}"; do
    if [ "${packages[i]}" = jdk ]; then
      for jdk in openjdk-17-jdk-headless openjdk-21-jdk-headless default-jdk-headless; do
        if apt-cache show "$jdk" >/dev/null 2>&1; then break; fi
      done
      packages[i]=$jdk
    fi
  done
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" \
    </dev/null >"$CHECKOUT/build/apt.log" 2>&1 ||
    { tail -n 15 "$CHECKOUT/build/apt.log" >&2; fail "apt-get could not install ${packages[*]}; the lines above say why."; }
}

# From the wheel folders that pip is configured with, if any, without asking the network; else the ordinary way.
pip_install() {
  "$venv/bin/python3" -m pip install --no-compile --no-index "$@" torch==2.13.0 >"$CHECKOUT/build/pip.log" 2>&1 ||
    "$venv/bin/python3" -m pip install --no-compile "$@" torch==2.13.0 >>"$CHECKOUT/build/pip.log" 2>&1
}

install_torch() {
  local python
  python=$(a_python_for_venv)
  [ -n "$python" ] || fail "no Python here can make virtual environments. Install python3-venv and run this again."
  say "Installing torch 2.13.0, whose libtorch is used, to $venv (hundreds of MB; only once)"
  # Without the mark it is what an interrupted set-up left.
  rm -rf "$venv"
  mkdir -p "$CACHE"
  "$python" -m venv "$venv"
  # libtorch is in the wheel itself. What else torch asks for serves its Python side, but for a CUDA build, which needs
  # NVIDIA's libraries.
  if ! pip_install --no-deps || { [ -f "$(torch_of "$venv/bin/python3")/lib/libtorch_cuda.so" ] && ! pip_install; }; then
    tail -n 15 "$CHECKOUT/build/pip.log" >&2
    fail "pip could not install torch==2.13.0; the lines above say why. Where another torch of version 2.11 to 2.14 is
installed, set VALETTS_PYTHON to its Python."
  fi
  torch_of "$venv/bin/python3" >/dev/null || fail "the torch in $venv is not whole. Delete that folder and run this again."
  touch "$venv/complete"
}

mkdir -p "$CHECKOUT/build"
torch_python=$(find_torch_python) || exit 1
mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then
  command -v apt-get >/dev/null ||
    STATUS=3 fail "there is no apt-get here. Install these with your system's package client, then run this again:
  JDK 17 or newer, Maven, CMake 3.22 or newer, Ninja, g++ 11 or newer, Python 3 with venv, doctest, espeak-ng, libudev
  (missing, by their Debian names: ${missing[*]})"
  stage "System packages" install_packages "${missing[@]}"
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -eq 0 ] || fail "still missing after the installation: ${missing[*]} (see build/apt.log)"
fi

if [ -z "$torch_python" ]; then
  stage "libtorch" install_torch
  torch_python=$venv/bin/python3
fi

jdk=$(find_jdk)
{
  printf 'JAVA_HOME=%q\n' "$jdk"
  printf 'VALETTS_PYTHON=%q\n' "$torch_python"
} >"$TOOLCHAIN.partial"
mv "$TOOLCHAIN.partial" "$TOOLCHAIN"

say "Set-up is complete ($(seconds_since "$began") s): JDK $jdk, libtorch from $(torch_of "$torch_python")"
