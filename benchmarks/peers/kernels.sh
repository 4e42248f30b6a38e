#!/usr/bin/env bash
# Alignment search and the HiFi-GAN decoder beside the public reference's, on the CPU; Super-MAS where Triton and a GPU are.
# Writes benchmarks/results/peer-kernels_<hardware>_<date>.md.
#
#   benchmarks/peers/kernels.sh --reference CHECKOUT [--super-mas CHECKOUT] [--threads '1 2'] [--seconds 2.5]
#
# VALETTS_PEER_PYTHON names a Python with torch, numpy and Cython; else that of the checkout.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/environment.sh"
cd "$CHECKOUT"
command="benchmarks/peers/kernels.sh $*"
reference='' super_mas=() threads='1 2' seconds=2.5
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || STATUS=2 fail "$1 has no value"
  case $1 in
    --reference) reference=$2 ;;
    --super-mas) super_mas=(--super-mas "$2") ;;
    --threads) threads=$2 ;;
    --seconds) seconds=$2 ;;
    *) STATUS=2 fail "unknown option $1" ;;
  esac
  shift 2
done
[ -n "$reference" ] || STATUS=2 fail "--reference names a checkout of p0p4k/vits2_pytorch"
command=${command//"$reference"/DIR}
load_toolchain || { scripts/setup.sh; load_toolchain; }
python=${VALETTS_PEER_PYTHON:-$VALETTS_PYTHON}
"$python" -c 'import numpy, torch' || fail "$python has no torch or no numpy; VALETTS_PEER_PYTHON names one that has"
executable=$(benchmarks/native.sh)/valetts_peer_kernels
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
load=$(cut -d' ' -f1 /proc/loadavg)
"$python" benchmarks/peers/mas.py --reference "$reference" --ours "$executable" "${super_mas[@]}" | tee "$work/mas"
for threads_now in $threads; do
  "$python" benchmarks/peers/decoder.py --reference "$reference" --ours "$executable" --threads "$threads_now" --seconds "$seconds" |
    tee -a "$work/decoder"
done
hardware=$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)
result=benchmarks/results/peer-kernels_$(printf '%s' "$hardware" | tr -cs 'A-Za-z0-9' '-' | sed 's/^-//; s/-$//')_$(date +%F).md
mkdir -p benchmarks/results
{
  printf '# Kernels beside the public reference\n\n'
  printf -- '- Machine: %s, %s cores; load average at the start %s\n' "$hardware" "$(nproc)" "$load"
  printf -- '- %s; %s; Command: `%s`\n' "$(git describe --always --dirty --abbrev=12)" "$(date -u '+%F %H:%M UTC')" "$command"
  printf -- '- %s; the reference is p0p4k/vits2_pytorch\n- Medians over rounds that take turns; answers are compared before anything is timed.\n\n' \
    "$("$python" -c 'import torch; print("torch", torch.__version__)')"
  printf '## Alignment search, one thread, kernel alone\n\nShapes are batch x symbols x frames. The reference writes a 0/1 path, ours durations.\n\n'
  printf '| against | shape | ours, ms | theirs, ms | theirs / ours |\n| --- | --- | ---: | ---: | ---: |\n'
  cat "$work/mas"
  printf '\n## HiFi-GAN decoder (V1), weight normalisation removed from the reference\n\n'
  printf '| audio | threads | ours, ms | PyTorch eager, ms | ours, real-time factor | theirs | theirs / ours | audio differs by |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n'
  cat "$work/decoder"
} >"$work/result.md"
mv "$work/result.md" "$result"
say "$result"
