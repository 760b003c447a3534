#!/bin/sh
# Runs inside the bare root: installs the packages, builds the service in every way that the guide names, and judges it by its own ledger
# while the server is restarted, killed, stopped and frozen. The last line says "trial: ..."; exit 1 when a promise was broken.
set -eu
cd /root/trial
export DEBIAN_FRONTEND=noninteractive
data=/var/lib/payments

say() { printf '== %s\n' "$*"; }
fail() {
    printf 'trial: failed: %s\n' "$1" >&2
    tail -n 20 "$data/log" >&2 2>/dev/null || :
    exit 1
}

say "installing"
{ apt-get update && apt-get install -y --no-install-recommends ./libhowdah*.deb &&
    apt-get install -y --no-install-recommends g++ cmake make pkg-config postgresql curl; } >install.log 2>&1 ||
    { tail -n 20 install.log >&2; fail "installation"; }
dpkg-query -W -f '${Package} ${Version}\n' 'libhowdah*' postgresql-15

# The first port that was free when the package made the cluster: the root shares the machine's network.
PGPORT=$(pg_conftool -s 15 main show port)
export PGPORT

# as_postgres COMMAND...: the server's user, who may not look into /root.
as_postgres() { (cd / && exec setpriv --reuid postgres --regid postgres --clear-groups "$@"); }
sql() { as_postgres psql -XAtqc "$1"; }
server() { pg_ctlcluster 15 main "$@" >>server.log 2>&1; }
server_start() {
    tries=0
    until server start; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || fail "the server does not start: $(tail -n 1 server.log)"
        sleep 0.2
    done
}

say "building"
cmake -S service -B shared >build.log && cmake --build shared >>build.log
cmake -S service -B static -DHOWDAH_STATIC=ON >>build.log && cmake --build static >>build.log
for name in howdah howdah-static; do
    # shellcheck disable=SC2046  # flags are words
    g++ -std=c++20 -Wall -Wextra -Werror service/payments.cpp $(pkg-config --cflags --libs "$name") -o "by-$name"
done
# shellcheck disable=SC2046
g++ -std=c++20 -Wall -Wextra -Werror first.cpp $(pkg-config --cflags --libs howdah) -o first
install -D shared/payments /opt/cmake-shared
install -D static/payments /opt/cmake-static
install by-howdah /opt/pkg-config-shared
install by-howdah-static /opt/pkg-config-static
install first /opt/first

server_start
as_postgres /opt/first | grep -q '^PostgreSQL' || fail "the guide's first lines"

paid() { grep -c '^paid ' "$data/ledger" || :; }
now() { date +%s%N; }
# back WHAT: the service pays again, a hundred payments within a minute.
back() {
    wanted=$(($(paid) + 100))
    began=$(now)
    until [ "$(paid)" -ge "$wanted" ]; do
        [ $(($(now) - began)) -lt 60000000000 ] || fail "$1: no payments for a minute"
        sleep 0.05
    done
    printf '%-40s 100 payments in %d ms\n' "$1" "$((($(now) - began) / 1000000))"
}
metrics() { curl -s "http://127.0.0.1:$(sed -n 's/^ready, metrics on port //p' "$data/log")/metrics"; }
start_service() {
    setpriv --reuid postgres --regid postgres --clear-groups "$program" "$data" 0 2>"$data/log" &
    service=$!
}

# through_faults LONG: everything that happens to a server and to the service.
through_faults() {
    server stop -m fast
    start_service
    server_start
    back "begun before the server"
    server restart -m fast
    back "restart, fast"
    server stop -m immediate || :
    server_start
    back "restart, immediate"
    kill -9 "$(head -n 1 /var/lib/postgresql/15/main/postmaster.pid)"
    server_start
    back "kill -9 of the postmaster"
    frozen=$(pgrep -u postgres -x postgres | tr '\n' ' ')
    # shellcheck disable=SC2086  # one word a process
    kill -STOP $frozen
    sleep 5
    # shellcheck disable=SC2086
    kill -CONT $frozen
    back "frozen for 5 s"
    if [ -n "$1" ]; then
        server stop -m fast
        sleep 20
        metrics | grep -E '^db_(circuit_breaker_state|circuit_breaker_rejected_total|alert_active.*ping_failed)' | sed 's/{.*}/ /; s/^/    /'
        server_start
        back "stopped for 20 s"
    fi
    kill -9 "$service"
    wait "$service" || :
    start_service
    back "the service killed and started again"
    metrics >page
    tail -n 1 page | grep -qxF '# EOF' || fail "the metrics page has no end"
    kill "$service"
    wait "$service" || fail "the service ended with $?"
}

judge() {
    sql 'SELECT id FROM payment' | sort >table
    sed -n 's/^paid //p' "$data/ledger" | sort >paid
    sed -n 's/^promised //p' "$data/ledger" | sort >promised
    doubled=$(uniq -d table | wc -l)
    lost=$(comm -23 paid table | wc -l)
    strange=$(sort -u table | comm -13 promised - | wc -l)
    printf 'promised %d, known to be paid %d, in the table %d: %d twice, %d lost, %d never promised\n' \
        "$(wc -l <promised)" "$(wc -l <paid)" "$(wc -l <table)" "$doubled" "$lost" "$strange"
    [ "$doubled$lost$strange" = 000 ] || fail "payments"
    [ "$(sql 'SELECT 50 * 1000000 - sum(balance) FROM account')" = "$(wc -l <table)" ] || fail "balances"
}

long=yes
for program in /opt/cmake-shared /opt/cmake-static /opt/pkg-config-shared /opt/pkg-config-static; do
    say "${program##*/}"
    readelf -d "$program" | grep -q 'libhowdah\.so\.0' && linked=shared || linked=static
    [ "$linked" = "${program##*-}" ] || fail "$program is linked $linked"
    rm -rf "$data"
    install -d -o postgres "$data"
    sql 'DROP TABLE IF EXISTS payment, account, howdah_key' 2>/dev/null
    through_faults "$long"
    judge
    long=
done
server stop
printf 'trial: the service held in every build\n'
