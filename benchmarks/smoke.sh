#!/usr/bin/env bash
# Whether each kernel still beats its plain path on the CPU: at least 0.9 of the recorded ratio, and never below 1. Ratios differ
# between processors, and only part of that is AVX-512 (benchmarks/results/kernels_AMD-EPYC_2026-11-30.md); those with it have
# ratios of their own, recorded on one such machine. The two paths take turns in one process; a row that falls short is
# measured again, at most twice, and its best counts: a machine that others use disturbs both paths. Inputs that take the plain
# path a second are left out.
#
#   benchmarks/smoke.sh [--record]      --record writes the lowest of three measurements into that file instead
#
# Writes build/benchmark-smoke.xml (JUnit). A processor without AVX2 has no fast path to measure, and everything is skipped.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/environment.sh"
cd "$CHECKOUT"
recorded=benchmarks/recorded-ratios.txt report=build/benchmark-smoke.xml attempts=3
# As libtorch chooses.
if [ "$(grep -m 1 '^flags' /proc/cpuinfo | grep -owE 'avx512(f|dq|bw|vl)' | sort -u | wc -l)" -eq 4 ]; then
  recorded=benchmarks/recorded-ratios-avx512.txt
fi
mkdir -p build
if ! grep -qw avx2 /proc/cpuinfo; then
  say "This processor has no AVX2: the kernels' fast paths are not measured."
  printf '<testsuite name="benchmarks" tests="1" failures="0" errors="0" skipped="1"/>\n' >"$report"
  exit 0
fi
executable=$(benchmarks/native.sh)/valetts_kernel_benchmarks
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "kernel input ratio" of one measurement; what is not a word in an input becomes a dash.
measure() {
  "$executable" all 1 7 1000 >"$work/table"
  awk -F' *[|] *' '$6 + 0 > 0 { gsub(/[^A-Za-z0-9.]+/, "-", $3); print $2, $3, $6 }' "$work/table"
}

if [ "${1:-}" = --record ]; then
  for ((attempt = 0; attempt < attempts; attempt++)); do measure; done >"$work/all"
  {
    sed -n '/^#/p' "$recorded"
    awk '{ key = $1 " " $2 } !(key in least) { order[++count] = key; least[key] = $3 } $3 < least[key] { least[key] = $3 }
      END { for (i = 1; i <= count; i++) print order[i], least[order[i]] }' "$work/all"
  } >"$work/recorded"
  cat "$work/recorded"
  mv "$work/recorded" "$recorded"
  exit 0
fi
[ $# -eq 0 ] || STATUS=2 fail "unknown option $1; there is only --record"

# Judges the best of all measurements so far: a line for each row, and status 1 if one falls short.
judge() {
  awk '
    FILENAME == ARGV[1] { if ($0 !~ /^#/ && NF == 3) { wanted[$1 " " $2] = $3; order[++count] = $1 " " $2 } next }
    { key = $1 " " $2; if (!(key in wanted) && !(key in best)) order[++count] = key; if ($3 + 0 > best[key] + 0) best[key] = $3 + 0 }
    END {
      for (i = 1; i <= count; i++) {
        key = order[i]
        limit = 0.9 * wanted[key]
        if (limit < 1) limit = 1
        verdict = !(key in best) ? "MISSING" : best[key] >= limit ? "passed" : "SLOWER"
        if (verdict != "passed") bad = 1
        printf "%s %s %.2f of the plain path, at least %.2f%s\n", verdict, key, best[key], limit,
          key in wanted ? "" : "; no ratio of it is recorded (--record)"
      }
      exit bad
    }' "$recorded" "$work/all" >"$work/verdicts"
}

: >"$work/all"
status=1
for ((attempt = 0; attempt < attempts && status != 0; attempt++)); do
  measure >>"$work/all"
  status=0
  judge || status=$?
done
cat "$work/verdicts"
awk 'BEGIN { body = "" } { bad = $1 != "passed"; failures += bad; count++
    text = $0; gsub(/[<>&"]/, " ", text)
    body = body sprintf("  <testcase classname=\"benchmarks\" name=\"%s %s beats its plain path\">%s</testcase>\n", $2, $3,
      bad ? "<failure message=\"" text "\"/>" : "") }
  END { printf "<testsuite name=\"benchmarks\" tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"0\">\n%s</testsuite>\n", count, failures, body }' \
  "$work/verdicts" >"$report"
exit "$status"
