#!/usr/bin/env bash
# Times training steps of the core once and prints a line of JSON. Runs in a checkout, which it builds, and in a bundle.
#
#   benchmarks/train-step/step.sh [--config base] [--batch 8] [--seconds 5.06|sampled] [--precision fp32] [--device auto]
#       [--threads 0] [--warm-up 3] [--steps 10] [--metrics-every 1] [--set KEY=VALUE]... [--export FOLDER]
#
# --metrics-every 10 reads the metrics every ten steps, as training.metricsEverySteps does; at most 100.
# --export also writes the initial weights and the batches, for benchmarks/peers.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/environment.sh"

classes=$CHECKOUT/benchmarks/train-step/train-step.jar
java=$CHECKOUT/runtime/bin/java
if [ -x "$java" ]; then
  export VALETTS_LIBRARY_PATH=${VALETTS_LIBRARY_PATH:-$CHECKOUT/lib}
else
  if [ -z "${VALETTS_BUILT:-}" ]; then
    (load_toolchain || "$CHECKOUT/scripts/setup.sh"; "$CHECKOUT/scripts/build.sh") >&2
  fi
  load_toolchain
  java=$JAVA_HOME/bin/java
  classes=$CHECKOUT/build/benchmarks/classes
  mkdir -p "$classes"
  sources=$CHECKOUT/benchmarks/src/main/java/ai/valetts/benchmarks
  "$JAVA_HOME/bin/javac" -cp "$CHECKOUT/valetts.jar" -d "$classes" "$sources"/{FormulaClips,TrainStepRun}.java
fi
# shellcheck disable=SC2086 # several options in one variable
exec "$java" ${JAVA_OPTIONS:-} -cp "$CHECKOUT/valetts.jar:$classes" ai.valetts.benchmarks.TrainStepRun "$@"
