# For `. "$LAB/cases/postgres.sh"` in a case: a private PostgreSQL below $HOME, reached through a socket there.
# pg starts it (arguments go to the server) and stops it when the part of the case ends.
PATH="$(ls -d /usr/lib/postgresql/*/bin | tail -n 1):$PATH"
export PATH PGHOST="$HOME/run" PGUSER=postgres PGDATABASE=postgres PSQLRC=/dev/null

plain_user() {  # the server refuses root
  if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi
}

pg_new() {  # an empty cluster
  chmod 711 "$HOME"
  mkdir -p "$HOME/run"
  if [ "$(id -u)" = 0 ]; then mkdir "$HOME/pg" && chown nobody "$HOME/pg" "$HOME/run"; fi
  plain_user initdb -D "$HOME/pg" -A trust -U postgres -N -E UTF8 --locale=C >"$HOME/initdb.log" 2>&1 || cat "$HOME/initdb.log"
  printf "listen_addresses = ''\nfsync = off\nunix_socket_directories = '%s'\n" "$HOME/run" >>"$HOME/pg/postgresql.conf"
}

pg() {
  [ -d "$HOME/pg" ] || pg_new
  plain_user postgres -D "$HOME/pg" "$@" >>"$HOME/server.log" 2>&1 &
  pg_job=$!
  trap 'kill -INT $(head -n 1 "$HOME/pg/postmaster.pid" 2>/dev/null) 2>/dev/null || true; wait $pg_job || true' EXIT
  for _ in $(seq 150); do
    if pg_isready -q; then return 0; fi
    sleep 0.1
  done
  cat "$HOME/server.log"
  return 1
}
