#!/usr/bin/env bash
# Every check that needs a GPU, in stages of at most 8 minutes each. Runs in a checkout that is built and in an installed
# bundle alike, and writes what it measured as lines of docs/gpu-ledger.md.
#
#   scripts/gpu-checks.sh [STAGE...]      all stages when none is named
#   scripts/gpu-checks.sh --list          the stages, and what each measures
#   scripts/gpu-checks.sh --rehearse [STAGE...]   goes through the stages on the CPU, a few steps each: proves this script,
#                                         measures nothing, and reports every stage as skipped
#   scripts/gpu-checks.sh --append FILE   puts the lines that a bundle wrote into this checkout's docs/gpu-ledger.md
#
# In a checkout the lines go into docs/gpu-ledger.md, in a bundle into ledger-lines.md; all output goes into
# gpu-checks.log. Both lie in $OUT, else in build/gpu-checks. VALETTS_FIXTURES names the folder of recorded tensors.
# Exit status: 0 all passed, 1 something failed, 77 nothing failed and something was skipped. With VALETTS_REQUIRE_GPU=1 a
# skipped stage is a failure.
set -euo pipefail
export HOME=${HOME:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
OUT=$(realpath -m "${OUT:-$CHECKOUT/build/gpu-checks}")
cd "$CHECKOUT"

STAGE_SECONDS=480
LEDGER=docs/gpu-ledger.md
SKIPPED=77

# name|what is measured. A stage is a function stage_NAME that writes its figures to $FIGURES in one line and returns 0,
# or 1 after saying what is wrong, or 77 after writing why it cannot run.
STAGES='doctor|the core loads and sees the GPU
kernels|CUDA kernels against the plain loops, bit for bit
parity-fp32|equality with the public reference, float32
parity-tf32|the same in TF32
parity-bf16|the same in bfloat16
parity-fp16|the same in float16
train|300 steps of the demo, metrics read every ten: losses finite and falling, held-out mel L1, speed
memory|device memory of base.yaml after one training step
precisions|300 steps in bf16 and fp16 against the band of three fp32 seeds
graphs|steps recorded as CUDA graphs, metrics read at each and every ten: losses as those of ordinary steps, speed of each
out-of-memory|a batch that does not fit: halved, and the run goes on'

stage_names() { cut -d'|' -f1 <<<"$STAGES"; }
title_of() { sed -n "s/^$1|//p" <<<"$STAGES"; }

device() { if [ -n "${REHEARSAL:-}" ]; then echo cpu; else echo cuda:0; fi; }
cannot_run() { printf '%s\n' "$*" >"$FIGURES"; say "$*"; return $SKIPPED; }

stage_doctor() {
  ./valetts doctor | tee "$WORK/doctor"
  if [ -z "${REHEARSAL:-}" ] && ! grep -q '^good *GPU' "$WORK/doctor"; then
    say "doctor sees no GPU"
    return 1
  fi
  echo "fit" >"$FIGURES"
}

stage_kernels() {
  local folder=$CHECKOUT/build/gpu-kernels check count=0 status
  [ -n "$(find_nvcc)" ] || { cannot_run "there is no nvcc"; return; }
  cmake -S . -B "$folder" -G "$(cmake_generator)" -DCMAKE_BUILD_TYPE=Release -DVALETTS_KERNELS_ONLY=ON \
    -DVALETTS_WERROR=OFF
  cmake --build "$folder" --parallel "$(jobs_at_once)"
  for check in "$folder"/bin/*_cuda_test; do
    status=0
    "$check" || status=$?
    if [ "$status" -eq "$SKIPPED" ] && [ -n "${REHEARSAL:-}" ]; then
      say "compiled, not run"
    elif [ "$status" -ne 0 ]; then
      return 1
    fi
    count=$((count + 1))
  done
  [ "$count" -gt 0 ]
  echo "$count kernel checks, bit-equal, each run twice" >"$FIGURES"
}

parity() { # PRECISION
  local fixtures status=0
  ./valetts parity --help >/dev/null 2>&1 || { cannot_run "this build has no parity command"; return; }
  fixtures=$(fixtures_folder)
  [ -d "$fixtures" ] || { cannot_run "the recorded tensors are not in $fixtures"; return; }
  if [ -n "${REHEARSAL:-}" ] && [ "$1" != fp32 ]; then cannot_run "rehearsed in fp32"; return; fi
  ./valetts parity --fixtures "$fixtures" --device "$(device)" --precision "$1" --rows 0 >"$WORK/parity" || status=$?
  head -n 45 "$WORK/parity"
  # The table is sorted, worst first: the first row of each measure is its worst.
  awk '/(ok|BROKEN)$/ { if (!($(NF-3) in seen)) { seen[$(NF-3)] = 1
      worst = worst sprintf("; worst %s %s of %s (%s %s)", $(NF-3), $(NF-2), $(NF-1), $1, $2) } }
    NF { last = $0 } END { sub(/[.]$/, "", last); print last worst }' "$WORK/parity" | tee "$FIGURES"
  return "$status"
}

stage_parity_fp32() { parity fp32; }
stage_parity_tf32() { parity tf32; }
stage_parity_bf16() { parity bf16; }
stage_parity_fp16() { parity fp16; }

stage_train() {
  local steps=300 data=()
  if [ -n "${REHEARSAL:-}" ]; then steps=12; fi
  if [ -d checks/demo ]; then data=(--data "$CHECKOUT/checks/demo:en-allison:en-us" --set data.validationClips=2 --set validation.audioClips=2); fi
  ./valetts train --demo "${data[@]}" --run "$WORK/run" --steps "$steps" --device "$(device)" \
    --set training.metricsEverySteps=10 --set text.frontEnd=characters --set text.normalization=none \
    --set monitor.logEverySteps=2 --set validation.everySteps=100
  "$(a_python)" - "$WORK/run" "$steps" "${REHEARSAL:-}" <<'PY' >"$FIGURES"
import json, math, os, sys

run, wanted, rehearsal = sys.argv[1], int(sys.argv[2]), sys.argv[3]
summary = json.load(open(os.path.join(run, "summary.json")))
steps = [line["scalars"] for line in map(json.loads, open(os.path.join(run, "metrics.jsonl"))) if line["kind"] == "step"]
problems = []
if summary["step"] != wanted or summary["skippedSteps"]:
    problems.append(f"stopped at step {summary['step']} of {wanted} with {summary['skippedSteps']} skipped")
wild = sorted({name for scalars in steps for name, value in scalars.items() if not math.isfinite(float(value))})
if wild or not steps:
    problems.append("not finite: " + ", ".join(wild) if wild else "no step was recorded")
mel = [scalars["loss/g/mel_l1"] for scalars in steps]
count = max(1, len(mel) // 10)
first, last = sum(mel[:count]) / count, sum(mel[-count:]) / count
if not rehearsal and not last < 0.9 * first:
    problems.append(f"the mel L1 went from {first:.3f} to {last:.3f}: not falling")
if problems:
    sys.exit("; ".join(problems))
validation = summary["validation"]
print(f"{wanted} steps in {summary['trainedSeconds']:.1f} s, training mel L1 {first:.3f} to {last:.3f}, held-out mel L1 "
      f"{validation['val/mel_l1']:.3f} ({validation['val/mel_ratio']:.2f} x the best constant spectrum)")
PY
}

stage_memory() {
  local config=base
  if [ -n "${REHEARSAL:-}" ]; then config=tiny; fi
  ./valetts info --config "$config" --step --device "$(device)" | tee "$WORK/info"
  awk '/^[A-Z]/ { section = $0 } section == "One training step" && $1 == "batch" { sub(/^ *batch */, ""); batch = $0 }
    section == "Memory after the step" && /^ *device,/ { gsub(/^ *device, | +$/, ""); gsub(/  +/, " "); figures = figures ", " $0 }
    END { if (figures == "") exit 1; print batch figures }' "$WORK/info" >"$FIGURES"
}

demo_data() {
  if [ -d checks/demo ]; then
    printf '%s\n' --data "$CHECKOUT/checks/demo:en-allison:en-us" --set data.validationClips=2 --set validation.audioClips=2
  fi
}

stage_precisions() {
  local steps=300 runs=('fp32 1' 'fp32 2' 'fp32 3' 'bf16 1' 'fp16 1') data=() run
  if [ -n "${REHEARSAL:-}" ]; then steps=4 runs=('fp32 1' 'bf16 1'); fi
  mapfile -t data < <(demo_data)
  for run in "${runs[@]}"; do
    ./valetts train --demo "${data[@]}" --run "$WORK/${run/ /-}" --steps "$steps" --device "$(device)" --seed "${run#* }" \
      --set training.precision="${run% *}" --set text.frontEnd=characters --set text.normalization=none \
      --set monitor.logEverySteps=1 --set validation.everySteps=1000 --set validation.sentences=[] \
      --set checkpoint.everyMinutes=null
  done
  "$(a_python)" - "$WORK" "${REHEARSAL:-}" <<'PY' >"$FIGURES"
import glob, json, os, sys

folder, rehearsal = sys.argv[1], sys.argv[2]
WINDOW = 50
TAGS = ["loss/g/mel", "loss/g/kl", "loss/g/dur", "loss/g/fm", "loss/d/total", "loss/dur_disc/total"]

def windows(run):
    steps = [line for line in map(json.loads, open(os.path.join(run, "metrics.jsonl"))) if line["kind"] == "step"]
    means = {}
    for tag in TAGS:
        for start in range(0, len(steps), WINDOW):
            values = [line["scalars"][tag] for line in steps[start:start + WINDOW]]
            means[tag, start] = sum(values) / len(values)
    return means

plain = [windows(run) for run in sorted(glob.glob(os.path.join(folder, "fp32-*")))]
problems, lines = [], []
for name in ("bf16", "fp16"):
    run = os.path.join(folder, name + "-1")
    if not os.path.isdir(run):
        continue
    worst, where = 0.0, ""
    for key, value in windows(run).items():
        band = [seed[key] for seed in plain]
        low, high = min(band), max(band)
        # Three seeds show part of their spread: the band is as wide again on each side, and never below 2 %.
        margin = max(high - low, 0.02 * abs(high))
        outside = max(low - value, value - high, 0.0) / margin
        if outside > worst:
            worst, where = outside, f" ({key[0]} from step {key[1]})"
    lines.append(f"{name} leaves the seeds' range by {worst:.2f} of 1 allowed{where}")
    if worst > 1.0 and not rehearsal:
        problems.append(lines[-1])
if problems or not lines:
    sys.exit("; ".join(problems) or "no run in half precision")
print("; ".join(lines))
PY
}

# Ten steps of one shape: the fourth records it, the rest replay. Then the speed of more.
stage_graphs() {
  local path paths='fused fused/10 graphs graphs/10 branches branches/10' tests=$CHECKOUT/build/cuda/bin/valetts_tests
  local config=base batch=8 first=8 warm_up=30 steps=100
  if [ -n "${REHEARSAL:-}" ]; then paths='fused fused/10 graphs' config=tiny batch=2 first=1 warm_up=0 steps=1; fi
  timed() { # PATH, or PATH/N with metrics read every N steps; WARM_UP STEPS
    local every=1
    case $1 in */*) every=${1#*/} ;; esac
    VALETTS_GPU_PATH=${1%/*} VALETTS_BUILT=1 benchmarks/train-step/step.sh --config "$config" --device "$(device)" --batch "$batch" \
      --seconds 2.5 --precision fp32 --set model.durationPredictor=deterministic --warm-up "$2" --steps "$3" \
      --metrics-every "$every"
  }
  for path in $paths; do
    timed "$path" 2 "$first" >"$WORK/first-${path/\//-}.json" 2>"$WORK/said" || { cat "$WORK/said"; return 1; }
    cat "$WORK/said" "$WORK/first-${path/\//-}.json"
    if grep -q 'not recorded any more' "$WORK/said"; then
      say "$path: recording failed"
      return 1
    fi
    timed "$path" "$warm_up" "$steps" >"$WORK/speed-${path/\//-}.json"
    cat "$WORK/speed-${path/\//-}.json"
  done
  "$(a_python)" - "$WORK" $paths <<'PY' >"$FIGURES"
import json, os, sys

folder, paths = sys.argv[1], sys.argv[2:]
read = lambda kind, path: json.load(open(os.path.join(folder, f"{kind}-{path.replace('/', '-')}.json")))
plain, problems, figures = read("first", paths[0])["lastLosses"], [], []
for path in paths:
    worst = max((abs(value - plain[name]) / max(abs(plain[name]), 1e-6), name)
                for name, value in read("first", path)["lastLosses"].items())
    figures.append(f"{path} {read('speed', path)['stepsPerSecond']:.2f} steps/s, tenth step's losses within {worst[0]:.1e}")
    if not worst[0] < 1e-3:
        problems.append(f"{path}: {worst[1]} of the tenth step is off by {worst[0]:.1e}, allowed 1e-3")
if problems:
    sys.exit("; ".join(problems))
print("; ".join(figures))
PY
  # Only a checkout has the tests: bit for bit, with deterministic operations.
  if [ -z "${REHEARSAL:-}" ] && [ -x "$tests" ]; then
    for path in graphs branches; do
      VALETTS_GPU_PATH=$path "$tests" '--source-file=*train/captured_steps_test.cpp' --no-intro=true
    done
    printf '; bit for bit with deterministic operations' >>"$FIGURES"
  fi
}

stage_out_of_memory() {
  local data=() config=base size=64 at_once=64 total
  mapfile -t data < <(demo_data)
  if [ "${#data[@]}" -eq 0 ]; then
    if [ ! -d "$CACHE/demo/en" ] && ! ./valetts prepare --demo; then cannot_run "there are no recordings"; return; fi
    data=(--data "$CACHE/demo/en:en-allison:en-us")
  fi
  if [ -n "${REHEARSAL:-}" ]; then
    config=tiny size=4 at_once=2
  else
    # Whatever the GPU has: room for the networks of base.yaml and some utterances, not for 64.
    total=$(nvidia-smi --query-gpu=memory.total --format=csv,noheader,nounits | head -n 1)
    PYTORCH_CUDA_ALLOC_CONF=per_process_memory_fraction:$(awk -v total="$total" 'BEGIN { printf "%.4f", 5000 / total }')
    export PYTORCH_CUDA_ALLOC_CONF
  fi
  ./valetts train --config "$config" "${data[@]}" --run "$WORK/run" --steps 2 --precision fp32 \
    --device "$(device)" --set data.batchSize="$size" --set data.batchFrames=null --set training.microBatch="$at_once" \
    --set text.frontEnd=characters --set text.normalization=none \
    --set validation.everySteps=1000 --set validation.sentences=[] --set monitor.logEverySteps=1 | tee "$WORK/output"
  if [ -z "${REHEARSAL:-}" ] && ! grep -q 'Memory ran out' "$WORK/output"; then
    say "the batch fitted: memory did not run out"
    return 1
  fi
  grep -o 'parts of at most [0-9]*' "$WORK/output" | tail -n 1 >"$FIGURES" || true
  if [ ! -s "$FIGURES" ]; then echo "a batch of $size in micro-batches" >"$FIGURES"; fi
}

fixtures_folder() {
  if [ -n "${VALETTS_FIXTURES:-}" ]; then
    echo "$VALETTS_FIXTURES"
  elif [ -d checks/fixtures ]; then
    echo "$CHECKOUT/checks/fixtures"
  else
    echo "$CHECKOUT/../shared/fixtures"
  fi
}

# The Python whose torch the core was built against.
a_python() { echo "${VALETTS_PYTHON:-python3}"; }

# What the lines name: the GPU, its driver, libtorch; and which sources were built.
describe_machine() {
  local gpu driver torch
  gpu=$(sed -n 's/^good *GPU *//p' "$WORK/facts")
  torch=$(sed -n 's/^[a-zA-Z]* *libtorch *//p' "$WORK/facts")
  driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -n 1)
  echo "$gpu, driver ${driver:-unknown}, torch $torch"
}
describe_build() {
  if [ -f BUNDLE ]; then
    cut -d' ' -f1 BUNDLE
  else
    git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown
  fi
}

# Puts lines into the ledger's table, and takes what they measured off the list of what never was.
append() { # FILE
  [ -f "$LEDGER" ] || fail "there is no $LEDGER here"
  [ -s "$1" ] || fail "$1 holds no lines"
  if grep -qvE '^\| [0-9]{4}-[0-9]{2}-[0-9]{2} \| [a-z0-9-]+ \| .* \| (passed|FAILED): .* \|$' "$1"; then
    fail "$1 holds lines that are no lines of the ledger"
  fi
  awk -v lines="$1" '
    FILENAME == lines { added = added $0 "\n"; split($0, cell, " *[|] *")
      if ($0 ~ /[|] passed: [^|]*[|]$/) measured[cell[3]] = 1; next }
    /^<!-- measured -->$/ { printf "%s", added; found = 1 }
    /^[|] `/ { split($0, cell, "`"); if (cell[2] in measured) next }
    { print }
    END { if (!found) exit 1 }' "$1" "$LEDGER" >"$LEDGER.partial" ||
    { rm -f "$LEDGER.partial"; fail "$LEDGER has lost its line <!-- measured -->"; }
  mv "$LEDGER.partial" "$LEDGER"
}

run_stage() { # STAGE
  local stage=$1 status=0 began=$EPOCHREALTIME verdict figures limit=$STAGE_SECONDS
  printf '\n== %s: %s\n' "$stage" "$(title_of "$stage")"
  : >"$WORK/figures"
  # A stage is a process of its own, so that it can be ended when its time is up.
  FIGURES=$WORK/figures REHEARSAL=$rehearsal \
    timeout --kill-after=10 "$limit" "$CHECKOUT/scripts/gpu-checks.sh" --inside "$stage" 2>&1 &
  child=$!
  wait "$child" || status=$?
  child=''
  figures=$(tr -d '|' <"$WORK/figures" | tr '\n' ' ' | sed 's/ *$//')
  case $status in
    0) verdict=passed ;;
    "$SKIPPED") verdict=skipped ;;
    124 | 137) verdict=FAILED figures="not done after $limit s" ;;
    *) verdict=FAILED figures=${figures:-exit status $status} ;;
  esac
  if [ -n "$rehearsal" ] && [ "$verdict" = passed ]; then
    verdict=skipped figures="no GPU; rehearsed on the CPU"
  fi
  rm -rf "$WORK/run"
  case $verdict in
    passed) passed=$((passed + 1)) ;;
    skipped) skipped=$((skipped + 1)) ;;
    *) failed=$((failed + 1)) ;;
  esac
  table+=$(printf '%-12s %-8s %7s s  %s' "$stage" "$verdict" "$(seconds_since "$began")" "$figures")$'\n'
  if [ "$verdict" != skipped ] && [ -z "$rehearsal" ]; then
    printf '| %s | %s | %s | %s | %s: %s |\n' "$(date -u +%F)" "$stage" "$machine" "$(describe_build)" "$verdict" \
      "$figures" >>"$WORK/lines"
  fi
}

run_stages() {
  local stage gpu=''
  ./valetts doctor >"$WORK/facts" 2>&1 || true
  gpu=$(sed -n 's/^good *GPU *//p' "$WORK/facts")
  if [ -z "$rehearsal" ] && [ -z "$gpu" ]; then
    cat "$WORK/facts"
    for stage in "${wanted[@]}"; do
      table+=$(printf '%-12s %-8s %7s    %s' "$stage" skipped '' "no GPU")$'\n'
      skipped=$((skipped + 1))
    done
    # A driver that answers while the core sees nothing is a fault, not an absence.
    if nvidia-smi -L 2>/dev/null | grep -q '^GPU'; then
      say "nvidia-smi shows a GPU that the core does not see."
      failed=$skipped skipped=0
    fi
    return
  fi
  machine=$(describe_machine)
  for stage in "${wanted[@]}"; do
    run_stage "$stage"
  done
}

main() {
  rehearsal='' passed=0 failed=0 skipped=0 table='' machine=''
  wanted=()
  for argument; do
    case $argument in
      --rehearse) rehearsal=1 ;;
      -*) STATUS=2 fail "unknown option $argument; --help shows them" ;;
      *) [ -n "$(title_of "$argument")" ] || STATUS=2 fail "there is no stage $argument; there are $(stage_names | tr '\n' ' ')"
        wanted+=("$argument") ;;
    esac
  done
  if [ "${#wanted[@]}" -eq 0 ]; then mapfile -t wanted < <(stage_names); fi
  mkdir -p "$OUT"
  WORK=$(mktemp -d)
  export WORK
  child=''
  trap 'rm -rf "$WORK"' EXIT
  trap '[ -z "$child" ] || kill "$child"; exit 130' INT TERM
  : >"$WORK/lines"
  # No pipe: the counts have to stay in this process.
  exec 3> >(tee "$OUT/gpu-checks.log")
  local tee_process=$!
  run_stages >&3 2>&1
  exec 3>&-
  wait "$tee_process"
  if [ "${VALETTS_REQUIRE_GPU:-}" = 1 ]; then
    failed=$((failed + skipped)) skipped=0
  fi
  if [ -s "$WORK/lines" ]; then
    if [ -f BUNDLE ]; then
      cat "$WORK/lines" >>"$OUT/ledger-lines.md"
      say "Lines for $LEDGER: $OUT/ledger-lines.md"
    else
      append "$WORK/lines"
    fi
  fi
  printf '\n%-12s %-8s %9s  %s\n%s' stage verdict time figures "$table" | tee -a "$OUT/gpu-checks.log"
  say "$passed passed, $failed failed, $skipped skipped"
  if [ "$failed" -gt 0 ]; then exit 1; fi
  if [ "$skipped" -gt 0 ]; then exit $SKIPPED; fi
}

case ${1:-} in
  --help | -h) sed -n '2,17s/^# \{0,1\}//p' "$0"; exit 0 ;;
  --list) while IFS='|' read -r stage title; do printf '%-12s %s\n' "$stage" "$title"; done <<<"$STAGES"; exit 0 ;;
  --append) [ $# -eq 2 ] || STATUS=2 fail "--append needs the file with the lines"; append "$2"; exit 0 ;;
esac

# Which Python, Java and build tools: what set-up or the installer found.
if [ -f build/python.env ]; then
  # shellcheck disable=SC1091
  . build/python.env
else
  load_toolchain || fail "nothing is built here yet; run scripts/build.sh"
fi
PATH=$PATH:$(dirname "$(a_python)")

if [ "${1:-}" = --inside ]; then
  "stage_${2//-/_}"
else
  main "$@"
fi
