#!/usr/bin/env bash
# Whole training steps over a grid of batches and lengths. Writes benchmarks/results/train-step_<hardware>_<date>.md.
#
#   benchmarks/train-step/measure.sh [--config base] [--device auto] [--batches '4'] [--lengths '2.5 5.06 sampled']
#       [--precisions fp32] [--threads '1 2'] [--warm-up 1] [--steps 3] [--metrics-every 1] [--set KEY=VALUE]...
#
# The duration predictor is deterministic unless --set model.durationPredictor=stochastic follows.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/environment.sh"
cd "$CHECKOUT"
command="benchmarks/train-step/measure.sh $*"
config=base device=auto batches=4 lengths='2.5 5.06 sampled' precisions=fp32 threads=0 warm_up=1 steps=3 metrics_every=1
set=(--set model.durationPredictor=deterministic)
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || STATUS=2 fail "$1 has no value"
  case $1 in
    --config) config=$2 ;;
    --device) device=$2 ;;
    --batches) batches=$2 ;;
    --lengths) lengths=$2 ;;
    --precisions) precisions=$2 ;;
    --threads) threads=$2 ;;
    --warm-up) warm_up=$2 ;;
    --steps) steps=$2 ;;
    --metrics-every) metrics_every=$2 ;;
    --set) set+=(--set "$2") ;;
    *) STATUS=2 fail "unknown option $1" ;;
  esac
  shift 2
done
load_toolchain || { scripts/setup.sh; load_toolchain; }
scripts/build.sh
export VALETTS_BUILT=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
load=$(cut -d' ' -f1 /proc/loadavg)
for threads_now in $threads; do
  for precision in $precisions; do
    for batch in $batches; do
      for seconds in $lengths; do
        say "batch $batch, $seconds s, $precision, threads $threads_now"
        benchmarks/train-step/step.sh --config "$config" --device "$device" --batch "$batch" --seconds "$seconds" \
          --precision "$precision" --threads "$threads_now" --warm-up "$warm_up" --steps "$steps" \
          --metrics-every "$metrics_every" "${set[@]}" | tee -a "$work/lines"
      done
    done
  done
done
hardware=$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)
if command -v nvidia-smi >/dev/null && [ "$device" != cpu ]; then
  hardware=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -n 1 | grep . || echo "$hardware")
fi
result=benchmarks/results/train-step_$(printf '%s' "$hardware" | tr -cs 'A-Za-z0-9' '-' | sed 's/^-//; s/-$//')_$(date +%F).md
mkdir -p benchmarks/results
{
  printf '# Training steps\n\n'
  printf -- '- Machine: %s, %s cores; load average at the start %s\n' "$hardware" "$(nproc)" "$load"
  printf -- '- %s; %s\n- Command: `%s`\n- Core %s\n\n' "$(git describe --always --dirty --abbrev=12)" "$(date -u '+%F %H:%M UTC')" "$command" \
    "$(sed -n '1s/.*"version":"\([^"]*\)".*/\1/p' "$work/lines")"
  "$VALETTS_PYTHON" benchmarks/train-step/table.py heading
  "$VALETTS_PYTHON" benchmarks/train-step/table.py rows "$work/lines"
} >"$work/result.md"
mv "$work/result.md" "$result"
say "$result"
