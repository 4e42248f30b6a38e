#!/usr/bin/env bash
# From a fresh clone to a voice that speaks: set-up, build, training on real recordings, and a sentence that the voice
# has not seen. Run again, it goes on where it stopped; nothing is downloaded or built twice.
#
#   scripts/quickstart.sh [--minutes N] [options of `valetts train`, e.g. --languages en,es]
#
# --minutes is the training time of the whole run, 10 unless given. The run is runs/demo; with other languages than English
# it carries their names, e.g. runs/demo-en-es.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$CHECKOUT"

minutes=10 name='' folder='' languages=en
options=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
    --minutes | --name | --run | --languages)
      [ $# -ge 2 ] || STATUS=2 fail "$1 needs a value"
      case $1 in
        --minutes) minutes=$2 ;;
        --name) name=$2 ;;
        --run) folder=$2 ;;
        --languages) languages=$2 ;;
      esac
      shift 2
      ;;
    *) options+=("$1"); shift ;;
  esac
done
if [ -z "$name" ]; then
  [ "$languages" = en ] && name=demo || name=demo-${languages//,/-}
fi
place=(--name "$name")
[ -z "$folder" ] || place=(--run "$folder")
folder=${folder:-runs/$name}

began=$EPOCHREALTIME
scripts/setup.sh
load_toolchain || fail "set-up did not finish"
scripts/build.sh
say "== Ready to train after $(seconds_since "$began") s. The run is in $CHECKOUT/$folder; Ctrl-C saves and leaves."

valetts() { "$JAVA_HOME/bin/java" -jar valetts.jar "$@"; }
valetts train --demo --minutes "$minutes" --languages "$languages" "${place[@]}" "${options[@]}"

# Sentences that are not among the recordings.
sentence_in() {
  case $1 in
    es) echo "Un barco pequeño cruzó el lago tranquilo al amanecer." ;;
    fr) echo "Un petit bateau a traversé le lac tranquille à l'aube." ;;
    it) echo "Una piccola barca attraversò il lago tranquillo all'alba." ;;
    ru) echo "Маленькая лодка пересекла тихое озеро на рассвете." ;;
    *) echo "A small boat crossed the quiet lake at sunrise." ;;
  esac
}

say "== A sentence the voice has not seen"
speakers=$(find "$folder/checkpoints" -name speakers.json | sort | tail -n 1)
for language in ${languages//,/ }; do
  speaker=()
  if [ "$languages" != "$language" ]; then
    # Speakers of the demo recordings are named after their language, e.g. es-allison.
    speaker=(--speaker "$(grep -o "\"$language-[^\"]*\"" "$speakers" | head -n 1 | tr -d '"')")
  fi
  valetts synth --voice "$folder" --text "$(sentence_in "$language")" --out "$folder/samples/unseen-$language.wav" \
    "${speaker[@]}"
done

say "== Done in $(seconds_since "$began") s
   Sentences      $CHECKOUT/$folder/samples/
   Checkpoints    $CHECKOUT/$folder/checkpoints/
   TensorBoard    tensorboard --logdir $CHECKOUT/runs
   Recordings     $CACHE/demo/ (with their credits)
   Train longer   ./valetts resume $folder --minutes 60
   Speak          ./valetts synth --voice $folder --text 'Hello.' --out hello.wav ${speaker[*]}"
