#!/usr/bin/env bash
# What everything that watches a run costs its loop. Writes benchmarks/results/listeners_<hardware>_<date>.md.
#
#   benchmarks/listeners.sh [WORK_FOLDER]     some 200 MB; a temporary folder unless given
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/environment.sh"
cd "$CHECKOUT"
load_toolchain || { scripts/setup.sh; load_toolchain; }

own=''
work=${1:-}
if [ -z "$work" ]; then
  work=$(mktemp -d)
  own=$work
fi
trap '[ -z "$own" ] || rm -rf "$own"' EXIT

maven -Pbenchmarks package -DskipTests -pl java,benchmarks
hardware=$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)
result=benchmarks/results/listeners_$(printf '%s' "$hardware" | tr -cs 'A-Za-z0-9' '-' | sed 's/^-//; s/-$//')_$(date +%F).md

{
  printf '# What listeners cost a step\n\n'
  printf -- '- Machine: %s, %s cores; load average at the start %s\n' "$hardware" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
  printf -- '- %s; %s\n' "$(java -version 2>&1 | head -n 1)" "$(date -u '+%F %H:%M UTC')"
  printf -- '- Command: `benchmarks/listeners.sh`\n'
  printf -- '- Steps of a fixed amount of arithmetic on one thread, 300 in a round, 3 rounds without and 3 with all listeners in\n  turn: journal, media files, TensorBoard with histograms, Weights & Biases, page, console. A point has 45\n  scalars (the bundled configurations log every 10 to 100 steps); every hundredth step is followed by a validation with 8\n  sounds and 8 pictures. Medians.\n\n'
  printf '| logged every | step alone, ms | watched, ms | difference | its processor time alone, ms | watched, ms | difference | publishing, µs | of the step | listeners'"'"' own thread, µs a step | dropped |\n'
  printf '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n'
  java -Xmx512m -cp benchmarks/target/benchmarks.jar ai.valetts.benchmarks.ListenersRun "$work" 300 3 1 20
  java -Xmx512m -cp benchmarks/target/benchmarks.jar ai.valetts.benchmarks.ListenersRun "$work" 300 3 10 20 50
  printf '\nPublishing is all that the loop itself does; the differences also hold what threads that run beside each other cost one\nanother, and whatever else the machine was doing. The listeners'"'"' thread works beside it, on another core where there is one.\n'
} >"$work/result.md"
mkdir -p benchmarks/results
mv "$work/result.md" "$result"
say "$result"
