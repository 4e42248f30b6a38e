#!/usr/bin/env bash
# Training steps of ours and of the public reference (p0p4k/vits2_pytorch) in turns, over the same batches and from the same
# weights, after the first step's losses agree. Writes benchmarks/results/peer-train-step_<hardware>_<date>.md.
#
#   benchmarks/peers/train-step.sh --reference CHECKOUT [--device cpu] [--batches '4'] [--lengths '2.5'] [--threads '1 2']
#       [--arms 'R0'] [--half fp16] [--repeats 2] [--warm-up 1] [--steps 3] [--set KEY=VALUE]...
#
# R0 is the reference as it is (TF32 convolutions on a GPU) against our fp32 (tf32 on a GPU); R1 is its mixed precision
# against our half precision. VALETTS_PEER_PYTHON names a Python with torch, numpy and Cython; else that of the checkout.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/environment.sh"
cd "$CHECKOUT"
command="benchmarks/peers/train-step.sh $*"
reference='' device=cpu batches=4 lengths=2.5 threads=0 arms=R0 half=fp16 repeats=2 warm_up=1 steps=3
set=(--set model.durationPredictor=deterministic)
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || STATUS=2 fail "$1 has no value"
  case $1 in
    --reference) reference=$2 ;;
    --device) device=$2 ;;
    --batches) batches=$2 ;;
    --lengths) lengths=$2 ;;
    --threads) threads=$2 ;;
    --arms) arms=$2 ;;
    --half) half=$2 ;;
    --repeats) repeats=$2 ;;
    --warm-up) warm_up=$2 ;;
    --steps) steps=$2 ;;
    --set) set+=(--set "$2") ;;
    *) STATUS=2 fail "unknown option $1" ;;
  esac
  shift 2
done
[ -n "$reference" ] || STATUS=2 fail "--reference names a checkout of p0p4k/vits2_pytorch"
command=${command//"$reference"/DIR}
if [ ! -d runtime ]; then
  load_toolchain || { scripts/setup.sh; load_toolchain; }
  scripts/build.sh
  export VALETTS_BUILT=1
elif [ -f build/python.env ]; then
  . build/python.env
fi
python=${VALETTS_PEER_PYTHON:-${VALETTS_PYTHON:-python3}}
"$python" -c 'import numpy, torch' || fail "$python has no torch or no numpy; VALETTS_PEER_PYTHON names one that has"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
load=$(cut -d' ' -f1 /proc/loadavg)

ours() { # PRECISION BATCH SECONDS THREADS FURTHER...
  benchmarks/train-step/step.sh --device "$device" --precision "$1" --batch "$2" --seconds "$3" --threads "$4" "${set[@]}" "${@:5}"
}
theirs() { # HALF THREADS FURTHER...
  local options=()
  if [ -n "$1" ]; then options=(--half "$1"); fi
  "$python" benchmarks/peers/train_step.py --reference "$reference" --export "$work/export" --device "$device" --threads "$2" \
    "${options[@]}" "${@:3}"
}
# A row names what a peer does not know of itself.
completed() { # SECONDS PRECISION
  "$python" -c 'import json, sys; print(json.dumps({"seconds": sys.argv[1], "precision": sys.argv[2], **json.loads(sys.stdin.read())}))' "$@"
}

: >"$work/table"
: >"$work/findings"
for arm in $arms; do
  case $arm in
    R0) peer_half='' precision=fp32; if [ "$device" != cpu ]; then precision=tf32; fi ;;
    R1) peer_half=$half precision=$half ;;
    *) STATUS=2 fail "there is no arm $arm; there are R0 and R1" ;;
  esac
  for batch in $batches; do
    for seconds in $lengths; do
      rm -rf "$work/export"
      mkdir "$work/export"
      first_threads=${threads%% *}
      ours "$precision" "$batch" "$seconds" "$first_threads" --warm-up 1 --steps 0 --export "$work/export" >"$work/first"
      agreed='not compared'
      # The reference draws the stochastic predictor's dropout twice, and its losses count the padding of unequal lengths.
      if [ "$seconds" != sampled ] && [[ "${set[*]}" != *durationPredictor=stochastic* ]]; then
        theirs "$peer_half" "$first_threads" --warm-up 0 --steps 0 --agree "$work/first" >"$work/agreement"
        agreed=$("$python" -c 'import json, sys; worst = json.load(open(sys.argv[1]))["agreement"]; name = max(worst, key=worst.get); print(f"worst {name} by {worst[name]:.1e}")' "$work/agreement")
      fi
      say "$arm batch $batch, $seconds s: first step: $agreed"
      for threads_now in $threads; do
        : >"$work/ours"
        : >"$work/theirs"
        for ((repeat = 0; repeat < repeats; repeat++)); do
          ours "$precision" "$batch" "$seconds" "$threads_now" --warm-up "$warm_up" --steps "$steps" | tee -a "$work/ours"
          theirs "$peer_half" "$threads_now" --warm-up "$warm_up" --steps "$steps" | completed "$seconds" "$precision" | tee -a "$work/theirs"
        done
        "$python" benchmarks/train-step/table.py rows "$work/ours" >>"$work/table"
        "$python" benchmarks/train-step/table.py rows "$work/theirs" >>"$work/table"
        found="$arm, batch $batch, $seconds s, threads $threads_now: $("$python" benchmarks/train-step/table.py ratio "$work/ours" "$work/theirs"); first step's losses and gradient norms: $agreed."
        printf -- '- %s\n' "$found" >>"$work/findings"
        say "$found"
        cp "$work/ours" "$work/last-ours"
        cp "$work/theirs" "$work/last-theirs"
      done
    done
  done
done

hardware=$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)
if [ "$device" != cpu ]; then hardware=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1); fi
result=${OUT:-benchmarks/results}/peer-train-step_$(printf '%s' "$hardware" | tr -cs 'A-Za-z0-9' '-' | sed 's/^-//; s/-$//')_$(date +%F).md
mkdir -p "$(dirname "$result")"
version() { sed -n '1s/.*"version": *"\([^"]*\)".*/\1/p' "$1"; }
{
  printf '# Training steps beside the public reference\n\n'
  printf -- '- Machine: %s, %s cores; load average at the start %s\n' "$hardware" "$(nproc)" "$load"
  printf -- '- %s; %s\n' "$(git describe --always --dirty --abbrev=12 2>/dev/null || cut -d' ' -f1 BUNDLE)" "$(date -u '+%F %H:%M UTC')"
  printf -- '- Command: `%s`\n- Ours: %s\n- Reference: %s\n' "$command" "$(version "$work/last-ours")" "$(version "$work/last-theirs")"
  printf -- '- Base configuration, duration predictor deterministic unless the command says otherwise; %s steps after %s to warm up. Both\n  begin with the same weights and take the same recordings and texts. Ours computes spectrograms inside the step and pads as\n  training does, to 16 frames and 8 symbols; the reference gets its spectrograms ready made and its own padding, and runs\n  without the wrapper for several GPUs.\n\n' "$steps" "$warm_up"
  cat "$work/findings"
  printf '\n'
  "$python" benchmarks/train-step/table.py heading
  cat "$work/table"
} >"$work/result.md"
mv "$work/result.md" "$result"
say "$result"
