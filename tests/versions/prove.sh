#!/bin/sh
# prove.sh BIN: shows that the server in this folder works on this host: initdb, start, extensions, an archive_command that reaches a
# file of the host, stop, pg_controldata. Run as root it drops to the user postgres.
set -eu
bin=$1
work=$(mktemp -d)
trap 'as_server "$bin/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1 || :; rm -rf "$work"' EXIT

as_server() {
    if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

[ "$(id -u)" -ne 0 ] || chown postgres "$work"
cd "$work"
as_server "$bin/initdb" -D "$work/data" --data-checksums --no-sync -A trust -U postgres >/dev/null
cat >>"$work/data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$work'
archive_mode = on
archive_command = 'touch $work/archived-%f'
END
as_server "$bin/pg_ctl" -D "$work/data" -w -l "$work/log" start >/dev/null || { cat "$work/log"; exit 1; }
as_server "$bin/psql" -XAtq -v ON_ERROR_STOP=1 -h "$work" -U postgres -d postgres <<'END'
select version();
create extension pg_stat_statements;
create extension amcheck;
create table t as select generate_series(1, 1000) as a;
select 'switched at ' || pg_switch_wal();
END
# A clean stop archives what is left.
as_server "$bin/pg_ctl" -D "$work/data" -w -m fast stop >/dev/null
set -- "$work"/archived-*
[ -e "$1" ] || { printf 'archive_command did not run\n'; exit 1; }
printf '%s segments archived\n' "$#"
"$bin/pg_controldata" "$work/data" | sed -n 's/^Database cluster state: */state: /p'
