#!/usr/bin/env bash
# How long a checkpoint stops the training step. Writes benchmarks/results/snapshot_<hardware>_<date>.md.
#
#   benchmarks/snapshot.sh [--config base] [--device cpu] [--rounds 5] [--work FOLDER]     about 3 GB of disk
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/environment.sh"
cd "$CHECKOUT"
command="benchmarks/snapshot.sh $*"
config=base device=cpu rounds=5 work='' own=''
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || STATUS=2 fail "$1 has no value"
  case $1 in
    --config) config=$2 ;;
    --device) device=$2 ;;
    --rounds) rounds=$2 ;;
    --work) work=$2 ;;
    *) STATUS=2 fail "unknown option $1" ;;
  esac
  shift 2
done
load_toolchain || { scripts/setup.sh; load_toolchain; }
scripts/build.sh
if [ -z "$work" ]; then
  work=$(mktemp -d)
  own=$work
fi
trap '[ -z "$own" ] || rm -rf "$own"' EXIT

classes=build/benchmarks/classes
mkdir -p "$classes"
sources=benchmarks/src/main/java/ai/valetts/benchmarks
"$JAVA_HOME/bin/javac" -cp valetts.jar -d "$classes" "$sources"/{FormulaClips,TrainStepRun,SnapshotRun}.java
hardware=$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)
if command -v nvidia-smi >/dev/null && [ "$device" != cpu ]; then
  hardware=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -n 1 | grep . || echo "$hardware")
fi
result=benchmarks/results/snapshot_$(printf '%s' "$hardware" | tr -cs 'A-Za-z0-9' '-' | sed 's/^-//; s/-$//')_$(date +%F).md

{
  printf '# How long a checkpoint stops the step\n\n'
  printf -- '- Machine: %s, %s cores; load average at the start %s\n' "$hardware" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
  printf -- '- %s; %s; %s\n' "$(git describe --always --dirty --abbrev=12)" "$(java -version 2>&1 | head -n 1)" "$(date -u '+%F %H:%M UTC')"
  printf -- '- Command: `%s`; configuration `%s`, device `%s`, %s checkpoints each\n' "${command% }" "$config" "$device" "$rounds"
  printf -- '- The step stands still while the state is copied; a thread of its own then writes, syncs and reads back the\n  checkpoint, while steps over one clip of 1.5 s go on. The first copy also asks the system for its memory.\n\n'
  printf '| averageDecay | checkpoint, MB | first pause, s | median pause, s | longest pause, s | writing beside it, median s | step alone, s | slowest step meanwhile, s |\n'
  printf '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n'
  java -Xmx512m -cp "valetts.jar:$classes" ai.valetts.benchmarks.SnapshotRun "$work" "$config" "$device" "$rounds"
  printf '\nThe pauses are to stay below 2 s.\n'
} >"$work/result.md"
mkdir -p benchmarks/results
mv "$work/result.md" "$result"
say "$result"
