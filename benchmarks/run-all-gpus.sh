#!/usr/bin/env bash
# Everything that is measured on a GPU, on whatever GPU is here. Runs in a checkout and in an installed bundle.
#
#   benchmarks/run-all-gpus.sh [--reference CHECKOUT] [STAGE...]    all stages when none is named
#   benchmarks/run-all-gpus.sh --rehearse [STAGE...]    on the CPU with tiny sizes: proves this script, measures no GPU
#
# Stages, each of at most 8 minutes: steps (whole training steps, batch by batch until memory is full), kernels (alignment
# search), paths (the speed of each value of VALETTS_GPU_PATH, and of two with metrics read every ten steps), launches (and
# synchronisations of a step, of the same; needs Nsight Systems), peers (the public reference in turns with ours; needs
# --reference and numpy). What a stage measured is kept in build/run-all-gpus, so that stages may run one by one; the result,
# benchmarks/results/THEME_GPU_DATE.md (in $OUT where that is set), is made anew from all of it.
#
# Exit status: 0 all measured, 1 something failed, 77 nothing failed and something could not be measured (no GPU).
set -euo pipefail
export HOME=${HOME:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/environment.sh"
cd "$CHECKOUT"

STAGE_SECONDS=480
SKIPPED=77
STAGES='steps kernels paths launches peers'

cannot_run() { say "$*"; return $SKIPPED; }

step() { benchmarks/train-step/step.sh --config "$CONFIG" --device "$DEVICE" --set model.durationPredictor=deterministic "$@"; }

stage_steps() {
  local batch seconds precision status
  : >"$KEPT/steps.partial"
  for precision in $PRECISIONS; do
    for seconds in 5.06 2.5; do
      for batch in $BATCHES; do
        status=0
        step --precision "$precision" --batch "$batch" --seconds "$seconds" --warm-up "$WARM_UP" --steps "$STEPS" >"$KEPT/line" || status=$?
        # A batch that does not fit ends the ladder; the first has to.
        if [ "$status" -ne 0 ]; then
          [ "$batch" != "${BATCHES%% *}" ] || return 1
          say "batch $batch does not go through"
          break
        fi
        cat "$KEPT/line" >>"$KEPT/steps.partial"
        cat "$KEPT/line"
      done
    done
  done
  mv "$KEPT/steps.partial" "$KEPT/steps.jsonl"
}

stage_kernels() {
  local bin shape batch tokens frames
  bin=$(benchmarks/native.sh)
  : >"$KEPT/kernels.partial"
  for shape in $SHAPES; do
    IFS=x read -r batch tokens frames <<<"$shape"
    printf '%s %s\n' "$shape" "$("$bin/valetts_peer_kernels" mas --scores random --batch "$batch" --tokens "$tokens" --frames "$frames" \
      --device "$DEVICE" --repeats 50)" | tee -a "$KEPT/kernels.partial"
  done
  mv "$KEPT/kernels.partial" "$KEPT/kernels.txt"
}

# An arm is a path, or PATH/N: the path with metrics read every N steps.
every_of() { case $1 in */*) echo "${1#*/}" ;; *) echo 1 ;; esac; }

stage_paths() {
  local path batch
  : >"$KEPT/paths.partial"
  for batch in $PEER_BATCHES; do
    for path in $PATHS; do
      VALETTS_GPU_PATH=${path%/*} step --precision "${PRECISIONS##* }" --batch "$batch" --seconds 5.06 --warm-up "$WARM_UP" \
        --steps "$STEPS" --metrics-every "$(every_of "$path")" >"$KEPT/line" 2>"$KEPT/said" || { cat "$KEPT/said"; return 1; }
      cat "$KEPT/said"
      if grep -q 'not recorded any more' "$KEPT/said"; then
        say "$path: recording failed at batch $batch"
        return 1
      fi
      printf '%s %s\n' "$path" "$(cat "$KEPT/line")" | tee -a "$KEPT/paths.partial"
    done
  done
  mv "$KEPT/paths.partial" "$KEPT/paths.txt"
}

# In so many steps of an arm: kernels on the device, launches by the host, waits of the host.
calls() { # ARM STEPS
  VALETTS_GPU_PATH=${1%/*} nsys profile --force-overwrite=true --trace=cuda --cuda-graph-trace=node --output="$KEPT/trace" \
    benchmarks/train-step/step.sh --config "$CONFIG" --device "$DEVICE" --set model.durationPredictor=deterministic \
    --precision "${PRECISIONS##* }" --batch "${BATCHES%% *}" --seconds 5.06 --warm-up "$WARM_UP" --steps "$2" \
    --metrics-every "$(every_of "$1")" >/dev/null
  nsys stats --force-export=true --report cuda_gpu_kern_sum,cuda_api_sum --format csv --output=- "$KEPT/trace.nsys-rep" >"$KEPT/trace.csv"
  awk -F, '/^Time.*Instances/ { part = "kernels"; next } /^Time.*Num Calls/ { part = "calls"; next }
    part == "kernels" { kernels += $3 } part == "calls" && /Launch/ { launches += $3 }
    part == "calls" && /Synchronize|cudaMemcpy,|cudaMemcpy"/ { waits += $3 }
    END { print kernels + 0, launches + 0, waits + 0 }' "$KEPT/trace.csv"
  rm -f "$KEPT"/trace.*
}

stage_launches() {
  local path few many
  command -v nsys >/dev/null || { cannot_run "Nsight Systems (nsys) is not here: launches and synchronisations are not counted"; return; }
  : >"$KEPT/launches.partial"
  for path in $PATHS; do
    few=$(calls "$path" 5)
    many=$(calls "$path" 15)
    awk -v path="$path" -v few="$few" -v many="$many" 'BEGIN { split(few, a, " "); split(many, b, " ")
      printf "%s %.0f %.0f %.1f\n", path, (b[1] - a[1]) / 10, (b[2] - a[2]) / 10, (b[3] - a[3]) / 10 }' | tee -a "$KEPT/launches.partial"
  done
  # The table of all GPUs takes those of the path that the steps were measured on.
  awk -v path="${VALETTS_GPU_PATH:-plain}" '$1 == path { printf "launches %s\nsynchronisations %s\n", $2, $4 }' "$KEPT/launches.partial" \
    >"$KEPT/launches.txt"
  mv "$KEPT/launches.partial" "$KEPT/launches-by-path.txt"
}

stage_peers() {
  [ -n "$REFERENCE" ] || { cannot_run "the public reference is not compared: --reference names no checkout of it"; return; }
  local arms=R1
  if [ "$DEVICE" = cpu ]; then arms=R0; fi
  OUT=$KEPT/peers benchmarks/peers/train-step.sh --reference "$REFERENCE" --device "$DEVICE" --arms "$arms" --half "${PRECISIONS##* }" \
    --batches "$PEER_BATCHES" --lengths 5.06 --repeats 2 --warm-up "$WARM_UP" --steps "$STEPS"
}

heading() { # TITLE
  printf '# %s\n\n- Machine: %s, driver %s, %s CPU cores\n- %s, %s; %s\n- Command: `benchmarks/run-all-gpus.sh`\n\n' "$1" "$GPU" \
    "$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -n 1 | grep . || echo unknown)" "$(nproc)" \
    "$(if [ -f BUNDLE ]; then cut -d' ' -f1 BUNDLE; else git describe --always --dirty --abbrev=12; fi)" \
    "$(sed -n '1s/.*"version":"\([^"]*\)".*/\1/p' "$KEPT/steps.jsonl" 2>/dev/null)" "$(date -u '+%F %H:%M UTC')"
}

report() {
  local name file options=()
  name=$(printf '%s' "$GPU" | tr -cs 'A-Za-z0-9' '-' | sed 's/^-//; s/-$//')_$(date +%F).md
  mkdir -p "$RESULTS"
  if [ -n "$rehearsal" ]; then options=(--rehearsal); fi
  if [ -f "$KEPT/steps.jsonl" ]; then
    file=$RESULTS/train-step_$name
    {
      heading 'Training steps on a GPU'
      "$PYTHON" benchmarks/gpu_table.py "$KEPT" "$GPU" "${options[@]}"
      printf '\n## All that was measured\n\nDuration predictor deterministic; %s steps after %s to warm up.\n\n' "$STEPS" "$WARM_UP"
      "$PYTHON" benchmarks/train-step/table.py heading
      "$PYTHON" benchmarks/train-step/table.py rows "$KEPT/steps.jsonl"
    } >"$file"
    cat "$file"
    say "$file"
  fi
  if [ -f "$KEPT/paths.txt" ]; then
    file=$RESULTS/paths_$name
    {
      heading 'Paths of a training step on a GPU'
      printf '`base.yaml`, clips of 5.06 s, duration predictor deterministic; %s steps after %s to warm up.\n\n' "$STEPS" "$WARM_UP"
      printf '`/10`: metrics read every ten steps instead of at each.\n\n'
      printf 'Kernels are those of a recorded step, counted in its graph.\n\n'
      printf '| VALETTS_GPU_PATH | batch | precision | median, ms | steps/s | utterances/s | peak memory, GB | kernels |\n| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |\n'
      sed -n 's/^\([a-z/0-9]*\) .*"batch":\([0-9]*\),.*"precision":"\([a-z0-9]*\)".*"medianMs":\([0-9.]*\).*"stepsPerSecond":\([0-9.]*\),"utterancesPerSecond":\([0-9.]*\).*"devicePeakBytes":\([0-9]*\).*"recordedKernels":\([0-9]*\).*/\1 \2 \3 \4 \5 \6 \7 \8/p' "$KEPT/paths.txt" |
        awk '{ printf "| %s | %s | %s | %.2f | %.2f | %.1f | %.2f | %s |\n", $1, $2, $3, $4, $5, $6, $7 / 1e9, $8 > 0 ? $8 : "" }'
      if [ -f "$KEPT/launches-by-path.txt" ]; then
        printf '\nOf one step at batch %s, counted by Nsight Systems:\n\n' "${BATCHES%% *}"
        printf '| VALETTS_GPU_PATH | kernels | launches by the host | waits of the host |\n| --- | ---: | ---: | ---: |\n'
        awk '{ printf "| %s | %s | %s | %s |\n", $1, $2, $3, $4 }' "$KEPT/launches-by-path.txt"
      fi
    } >"$file"
    say "$file"
  fi
  if [ -f "$KEPT/kernels.txt" ]; then
    file=$RESULTS/kernels_$name
    {
      heading 'Kernels on a GPU'
      printf 'Alignment search, the whole call with its wait for the device.\n\n| batch x symbols x frames | median, µs | best, µs |\n| --- | ---: | ---: |\n'
      sed -n 's/^\([0-9x]*\) .*"bestMs":\([0-9.]*\),"medianMs":\([0-9.]*\)}$/\1 \2 \3/p' "$KEPT/kernels.txt" |
        awk '{ printf "| %s | %.1f | %.1f |\n", $1, $3 * 1000, $2 * 1000 }'
    } >"$file"
    say "$file"
  fi
  if [ -d "$KEPT/peers" ]; then
    cp "$KEPT"/peers/*.md "$RESULTS/"
    say "$RESULTS/$(basename "$KEPT"/peers/*.md)"
  fi
}

rehearsal='' REFERENCE='' wanted=() inside=''
while [ $# -gt 0 ]; do
  case $1 in
    --rehearse) rehearsal=1; shift ;;
    --reference) [ $# -ge 2 ] || STATUS=2 fail "--reference needs a folder"; REFERENCE=$(realpath -m "$2"); shift 2 ;;
    --inside) inside=1; shift ;;
    --help | -h) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) STATUS=2 fail "unknown option $1; --help shows them" ;;
    *) [[ " $STAGES " == *" $1 "* ]] || STATUS=2 fail "there is no stage $1; there are $STAGES"; wanted+=("$1"); shift ;;
  esac
done
# shellcheck disable=SC2206 # words
[ "${#wanted[@]}" -gt 0 ] || wanted=($STAGES)
KEPT=$CHECKOUT/build/run-all-gpus
RESULTS=$(realpath -m "${OUT:-$CHECKOUT/benchmarks/results}")
if [ -n "$rehearsal" ]; then
  KEPT=$KEPT-rehearsal RESULTS=$KEPT/results
fi
mkdir -p "$KEPT"

if [ -d runtime ]; then
  [ -f build/python.env ] || fail "the core is not built yet; run ./install.sh"
  # shellcheck disable=SC1091
  . build/python.env
else
  if [ -z "${VALETTS_BUILT:-}" ]; then
    load_toolchain || { scripts/setup.sh; load_toolchain; }
    scripts/build.sh
  fi
  load_toolchain
fi
export VALETTS_BUILT=1
PYTHON=${VALETTS_PYTHON:-python3}

GPU=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -n 1 || true)
if [ -n "$rehearsal" ]; then
  GPU='rehearsal on the CPU' DEVICE=cpu CONFIG=tiny BATCHES='2 4' PEER_BATCHES=2 PRECISIONS=fp32 WARM_UP=1 STEPS=2 SHAPES=2x20x80 PATHS='plain graphs graphs/2'
else
  if [ -z "$GPU" ] || ! ./valetts doctor 2>/dev/null | grep -q '^good *GPU'; then
    say "There is no GPU here that the core can use: nothing was measured. --rehearse goes through the stages on the CPU."
    exit $SKIPPED
  fi
  DEVICE=cuda:0 CONFIG=base BATCHES='8 16 32 64' PEER_BATCHES='8 32' WARM_UP=30 STEPS=100 SHAPES='32x200x800 64x400x1600 32x60x216' PATHS='plain fused fused/10 graphs branches branches/10'
  case $(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1) in
    [1-6].*) PRECISIONS=fp32 STEPS=30 ;;
    7.*) PRECISIONS=fp16 ;;
    *) PRECISIONS=bf16 ;;
  esac
fi

if [ -n "$inside" ]; then
  "stage_${wanted[0]}"
  exit
fi

failed=0 skipped=0
for stage in "${wanted[@]}"; do
  say "== $stage"
  status=0 began=$EPOCHREALTIME options=()
  if [ -n "$rehearsal" ]; then options+=(--rehearse); fi
  if [ -n "$REFERENCE" ]; then options+=(--reference "$REFERENCE"); fi
  # A process of its own, so that it can be ended when its time is up.
  timeout --kill-after=10 "$STAGE_SECONDS" "$CHECKOUT/benchmarks/run-all-gpus.sh" --inside "${options[@]}" "$stage" || status=$?
  case $status in
    0) say "   $stage: $(seconds_since "$began") s" ;;
    "$SKIPPED") skipped=$((skipped + 1)) ;;
    *) say "   $stage FAILED (status $status)"; failed=$((failed + 1)) ;;
  esac
done
report
[ "$failed" -eq 0 ] || exit 1
if [ "$skipped" -gt 0 ] || [ -n "$rehearsal" ]; then exit $SKIPPED; fi
