# For `. "$LAB/cases/mysql.sh"` in a case: a private MariaDB below $HOME, reached through the socket $HOME/my/sock.
# my starts it (arguments go to the server) and stops it when the part of the case ends; db is the client as root.
my_run() {
  if [ "$(id -u)" = 0 ]; then set -- "$@" --user=nobody; fi
  mariadbd --no-defaults --datadir="$HOME/my/data" --socket="$HOME/my/sock" --pid-file="$HOME/my/pid" \
    --skip-networking --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=16M "$@"
}

my_new() {
  chmod 711 "$HOME"
  mkdir -p "$HOME/my"
  if [ "$(id -u)" = 0 ]; then chown nobody "$HOME/my"; fi
  mariadb-install-db --no-defaults --user="$([ "$(id -u)" = 0 ] && echo nobody || id -un)" --datadir="$HOME/my/data" \
    --auth-root-authentication-method=normal --skip-test-db >"$HOME/install.log" 2>&1 || cat "$HOME/install.log"
}

my() {
  [ -d "$HOME/my/data" ] || my_new
  my_run "$@" >>"$HOME/server.log" 2>&1 &
  my_job=$!
  trap 'kill "$(cat "$HOME/my/pid" 2>/dev/null)" 2>/dev/null || true; wait $my_job 2>/dev/null || true' EXIT
  for _ in $(seq 200); do
    if [ -S "$HOME/my/sock" ] && db -e 'SELECT 1' >/dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  cat "$HOME/server.log"
  return 1
}

db() {
  mariadb --no-defaults --socket="$HOME/my/sock" -u root "$@"
}
