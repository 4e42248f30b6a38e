#!/usr/bin/env bash
# Loading alone, without a model, on synthetic clips of three seconds; then the pieces in JMH. Writes
# benchmarks/results/loading_<hardware>_<date>.md.
#
#   benchmarks/loading.sh [WORK_FOLDER]     about 6 GB, on a local disk; a temporary folder unless given
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
jar=benchmarks/target/benchmarks.jar
hardware=$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)
cores=$(nproc)
result=benchmarks/results/loading_$(printf '%s' "$hardware" | tr -cs 'A-Za-z0-9' '-' | sed 's/^-//; s/-$//')_$(date +%F).md

{
  printf '# Loading without a model\n\n'
  printf -- '- Machine: %s, %s cores, %s memory; load average at the start %s\n' "$hardware" "$cores" \
    "$(awk '/MemTotal/ { printf "%.0f GB", $2 / 1e6 }' /proc/meminfo)" "$(cut -d' ' -f1 /proc/loadavg)"
  printf -- '- %s; %s\n' "$(java -version 2>&1 | head -n 1)" "$(date -u '+%F %H:%M UTC')"
  printf -- '- Command: `benchmarks/loading.sh`\n- Clips of 3 s at 22,050 Hz, batches of 32, Java heap limit 96 MB; batches are taken as fast as they come for 20 s after 5 s of warm-up\n\n'
  printf '| clips | prepare, s | utterances/s | heap of the rows, MB | direct buffers, MB | resident, MB |\n'
  printf '| ---: | ---: | ---: | ---: | ---: | ---: |\n'
  for clips in 2000 20000; do
    # The first start prepares, with room for the corpus' rows; the second loads what is prepared.
    java -Xmx1g -cp "$jar" ai.valetts.benchmarks.LoadingRun "$work" "$clips" 3 32 1 >/dev/null
    java -Xmx96m -cp "$jar" ai.valetts.benchmarks.LoadingRun "$work" "$clips" 3 32 20
  done
  printf '\nThe second start of each size is shown: recordings were prepared by the first. The audio of 20,000 clips is 2.6 GB; what stays in\nmemory is a row for each clip (place, text, symbols).\n\n## The pieces (JMH, average of 5 x 2 s)\n\n```\n'
  java -jar "$jar" LoadingBenchmark -v SILENT -rf text -rff "$work/jmh.txt" >/dev/null
  cat "$work/jmh.txt"
  printf '```\n'
} >"$work/result.md"
mkdir -p benchmarks/results
mv "$work/result.md" "$result"
say "$result"
