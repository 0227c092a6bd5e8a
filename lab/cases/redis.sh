# For `. "$LAB/cases/redis.sh"` in a case: a private Redis below $HOME, reached through a socket; cli is its client.
# red starts it (arguments go to the server) and stops it when the part of the case ends.
red() {
  mkdir -p "$HOME/red"
  rm -f "$HOME/red/sock"
  redis-server --port 0 --unixsocket "$HOME/red/sock" --dir "$HOME/red" "$@" >>"$HOME/server.log" 2>&1 &
  red_job=$!
  trap 'kill $red_job 2>/dev/null || true; wait $red_job 2>/dev/null || true' EXIT
  for _ in $(seq 100); do
    if cli ping >/dev/null 2>&1; then return 0; fi
    sleep 0.05
  done
  cat "$HOME/server.log"
  return 1
}

cli() {
  redis-cli -s "$HOME/red/sock" "$@"
}
