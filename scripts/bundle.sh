#!/usr/bin/env bash
# Makes one archive for a machine with a GPU that has no Java, no Maven and no network: a trimmed Java runtime, the jar, the
# sources of the core and an installer that builds it there against that machine's own torch.
#
#   scripts/bundle.sh [--checks] [--out FOLDER]
#
# --checks makes the smaller archive for scripts/gpu-checks.sh: without the audio decoder, with the recorded tensors of the
# public reference (VALETTS_FIXTURES, else ../shared/fixtures beside the checkout) and half a minute of decoded speech.
# The archive is build/bundle/valetts.tar.xz or valetts-checks.tar.xz; docs/bundle.md says how to use it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$CHECKOUT"

checks=false out=build/bundle
while [ $# -gt 0 ]; do
  case $1 in
    --checks) checks=true; shift ;;
    --out) [ $# -ge 2 ] || STATUS=2 fail "--out needs a folder"; out=$2; shift 2 ;;
    --help | -h) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) STATUS=2 fail "unknown option $1; there are --checks and --out FOLDER" ;;
  esac
done
name=valetts limit=70000000 speech_seconds=24
if $checks; then name=valetts-checks limit=25000000; fi
fixtures=${VALETTS_FIXTURES:-$CHECKOUT/../shared/fixtures}
began=$EPOCHREALTIME

scripts/build.sh
load_toolchain
command -v xz >/dev/null || STATUS=3 fail "xz is not here; install it (Debian: xz-utils)"
if $checks && [ ! -f "$fixtures/README.md" ]; then
  fail "the recorded tensors of the public reference are not in $fixtures; set VALETTS_FIXTURES to their folder"
fi

work=$(mktemp -d "$CHECKOUT/build/bundle-XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/$name
mkdir -p "$tree/scripts/bundle" "$tree/glue/include/linux" "$tree/native/tests" "$tree/docs" "$out"

# Java without desktop. The jar's network is the file system and its text is ASCII, so the checks can do without TLS, ciphers
# and the tables of East Asian encodings; a package has to keep one class, or jlink refuses it.
runtime() {
  local leave_out=() resources=() IFS=,
  if $checks; then
    resources=(
      'regex:/java.base/sun/security/ssl/(?!Alert\.class).*'
      'regex:/java.base/sun/security/tools/keytool/(?!Main\.class).*'
      'regex:/java.base/com/sun/crypto/provider/(?!SunJCE).*'
      'regex:/java.base/sun/nio/cs/(GB18030|GBK|EUC_|Johab|HKSCS|Big5|MS932|MS936|PCK|SJIS|JIS_X_).*'
    )
    leave_out=(--exclude-resources "${resources[*]}")
  fi
  "$JAVA_HOME/bin/jlink" --add-modules java.base,java.logging,jdk.unsupported --strip-debug --no-header-files \
    --no-man-pages --compress=0 "${leave_out[@]}" --output "$tree/runtime"
  chmod -R u+w "$tree/runtime"
  ! command -v strip >/dev/null || find "$tree/runtime" -name '*.so' -exec strip -s {} +
  if $checks; then
    rm -f "$tree"/runtime/lib/{jrt-fs.jar,classlist,security/cacerts,security/public_suffix_list.dat}
  fi
}

program() {
  cp valetts CMakeLists.txt CMakePresets.json LICENSE NOTICE "$tree/"
  cp -r cmake configs "$tree/"
  cp -r native/include native/src native/kernels "$tree/native/"
  cp -r native/tests/kernels "$tree/native/tests/"
  cp scripts/environment.sh scripts/gpu-checks.sh "$tree/scripts/"
  cp scripts/bundle/fixtures.py "$tree/scripts/bundle/"
  cp scripts/bundle/install.sh "$tree/"
  cp docs/bundle.md docs/gpu-ledger.md "$tree/docs/"
  cp java/target/jni/jnivaletts.cpp java/target/jni/jnijavacpp.cpp "$tree/glue/"
  cp "$JAVA_HOME/include/jni.h" "$tree/glue/include/"
  cp "$JAVA_HOME/include/linux/jni_md.h" "$tree/glue/include/linux/"
  benchmarks
  local options=()
  if $checks; then options=(--checks); fi
  "$VALETTS_PYTHON" scripts/bundle/slim_jar.py valetts.jar "$tree/valetts.jar" "${options[@]}"
  printf '%s %s\n' "$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)" "$name" >"$tree/BUNDLE"
}

# What benchmarks/run-all-gpus.sh needs; its Java is compiled here, since the runtime has no compiler.
benchmarks() {
  local folder=$tree/benchmarks sources=benchmarks/src/main/java/ai/valetts/benchmarks
  mkdir -p "$folder/train-step" "$folder/peers"
  cp benchmarks/{run-all-gpus.sh,native.sh,gpu_table.py} "$folder/"
  cp -r benchmarks/native "$folder/"
  cp benchmarks/train-step/{step.sh,table.py} "$folder/train-step/"
  cp benchmarks/peers/*.{py,sh,cpp} "$folder/peers/"
  "$JAVA_HOME/bin/javac" --release 17 -cp valetts.jar -d "$work/classes" "$sources"/{FormulaClips,TrainStepRun}.java
  "$JAVA_HOME/bin/jar" --create --no-manifest --file "$work/train-step.jar" -C "$work/classes" .
  "$VALETTS_PYTHON" scripts/bundle/slim_jar.py "$work/train-step.jar" "$folder/train-step/train-step.jar"
}

check_data() {
  if [ ! -f "$CACHE/demo/en/complete" ]; then
    ./valetts prepare --demo >"$work/prepare.log" 2>&1 || { cat "$work/prepare.log" >&2; return 1; }
  fi
  "$JAVA_HOME/bin/java" -cp valetts.jar scripts/bundle/ChooseClips.java "$CACHE/demo/en" "$tree/checks/demo" "$speech_seconds"
  "$VALETTS_PYTHON" scripts/bundle/fixtures.py pack "$fixtures" "$tree/checks/packed"
  "$VALETTS_PYTHON" scripts/bundle/fixtures.py unpack "$tree/checks/packed" "$work/restored"
}

# One tar file in several xz streams, each with the filters that its kind of bytes takes best: an unpacker sees one.
pack() {
  (cd "$work" && find "$name" ! -type d | LC_ALL=C sort >"$work/all")
  grep -E '\.so$|/runtime/bin/' "$work/all" >"$work/machine-code" || true
  grep -E '\.data$' "$work/all" >"$work/floats" || true
  grep -E '\.wav$' "$work/all" >"$work/sound" || true
  LC_ALL=C sort "$work/machine-code" "$work/floats" "$work/sound" | LC_ALL=C comm -23 "$work/all" - >"$work/rest"
  part rest --lzma2=preset=9e,lc=4,pb=0 &
  part machine-code --x86 --lzma2=preset=9e &
  part floats --lzma2=preset=9e,lc=0,lp=2,pb=2 &
  part sound --delta=dist=2 --lzma2=preset=9e,lc=0,lp=1,pb=1 &
  local job
  for job in $(jobs -p); do wait "$job"; done
  # The two blocks of zeros that end a tar file come last.
  head -c 1024 /dev/zero | xz >"$work/end.xz"
  cat "$work"/{rest,machine-code,floats,sound,end}.xz >"$out/$name.tar.xz.partial"
  mv "$out/$name.tar.xz.partial" "$out/$name.tar.xz"
}

part() { # LIST XZ_FILTERS...
  local list=$work/$1 packed=$work/$1.xz
  shift
  : >"$packed"
  [ -s "$list" ] || return 0
  tar -b1 --format=gnu -C "$work" --mtime=@0 --owner=0 --group=0 --numeric-owner --no-recursion -c -T "$list" |
    head -c -1024 | xz --check=crc32 "$@" >"$packed"
}

stage "Java runtime" runtime
stage "Program" program
if $checks; then stage "Tensors and speech" check_data; fi
stage "Archive" pack
size=$(stat -c %s "$out/$name.tar.xz")
[ "$size" -le "$limit" ] || fail "$out/$name.tar.xz has $size bytes, more than the $limit that it may have"
say "Made $out/$name.tar.xz ($size bytes) in $(seconds_since "$began") s. On the other machine:
  tar xJf $name.tar.xz && $name/install.sh && $name/valetts --help"
