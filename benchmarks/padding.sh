#!/usr/bin/env bash
# How much of a batch is padding, over whole epochs of the loader that training uses. Writes
# benchmarks/results/padding_<date>.md.
#
#   benchmarks/padding.sh [FOLDER_OF_RECORDINGS...]     the demo's recordings unless given
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/environment.sh"
cd "$CHECKOUT"
load_toolchain || { scripts/setup.sh; load_toolchain; }
scripts/build.sh
folders=("$@")
if [ ${#folders[@]} -eq 0 ]; then
  mapfile -t folders < <(find "$CACHE/demo" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | sort)
  folders+=("$CACHE/demo")
fi
classes=build/benchmarks/classes
mkdir -p "$classes" benchmarks/results
"$JAVA_HOME/bin/javac" -cp valetts.jar -d "$classes" benchmarks/src/main/java/ai/valetts/benchmarks/{FormulaClips,TrainStepRun,PaddingRun}.java
padding() { "$JAVA_HOME/bin/java" -cp "valetts.jar:$classes" ai.valetts.benchmarks.PaddingRun "$@"; }
result=benchmarks/results/padding_$(date +%F).md
work=$(mktemp)
trap 'rm -f "$work"' EXIT
{
  printf '# Padding\n\n- %s; %s; command: `benchmarks/padding.sh`\n- Whole epochs of the loader that training uses; frames are padded to multiples of 16, symbols of 8. Nothing is timed.\n\n' \
    "$(git describe --always --dirty --abbrev=12)" "$(date -u '+%F %H:%M UTC')"
  printf '| recordings | clips | settings | batches | clips in a batch | padded / real frames | padded / real symbols |\n| --- | ---: | --- | ---: | ---: | ---: | ---: |\n'
  padding sampled 1 data.batchFrames=36000 data.batchSize=64
  padding sampled 1 data.batchFrames=16000 data.batchSize=32
  padding sampled 1 data.batchFrames=36000 data.batchSize=8
  padding sampled 1 data.batchFrames=null data.batchSize=32
  for folder in "${folders[@]}"; do
    if [ -d "$folder" ]; then
      padding "$folder" 4 data.batchFrames=36000 data.batchSize=64
      padding "$folder" 4 data.batchFrames=4000 data.batchSize=16
    fi
  done
} >"$work"
cp "$work" "$result"
say "$result"
