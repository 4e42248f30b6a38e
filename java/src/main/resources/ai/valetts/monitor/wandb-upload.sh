# Uploads one run: $1 the client, $2 the run's folder, $3 the process that writes it.
upload() {
  if "$1" beta sync --help 2>/dev/null | grep -q -e --live; then
    "$1" beta sync --live --yes "$2" &
    upload=$!
    left=120
    while kill -0 "$upload" 2>/dev/null; do
      sleep 5
      if ! kill -0 "$3" 2>/dev/null; then
        left=$((left - 1))
        [ "$left" -gt 0 ] || kill "$upload"
      fi
    done
    wait "$upload"
  else
    while kill -0 "$3" 2>/dev/null && [ ! -e "$2/ended" ]; do
      sleep 5
    done
    "$1" sync "$2"
  fi
}

# Copies lines without the key. By the shell alone: the key must not stand on a command line.
redact() {
  while IFS= read -r rest || [ -n "$rest" ]; do
    clean=
    while :; do
      case $rest in
        *"$WANDB_API_KEY"*)
          clean="$clean${rest%%"$WANDB_API_KEY"*}(key)"
          rest=${rest#*"$WANDB_API_KEY"}
          ;;
        *) break ;;
      esac
    done
    printf '%s\n' "$clean$rest"
  done
}

upload "$@" 2>&1 | redact
