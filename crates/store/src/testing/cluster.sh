# Runs a throw-away PostgreSQL cluster until standard input ends: `cluster.sh BIN BASE`.
# The end of input also comes when the test process is killed, so no server is ever left behind.
set -eu
bin=$1
base=$2
umask 077
cd /
mkdir -p "$base"

# `initdb` takes seconds, a copy of its work does not.
version=$("$bin/postgres" --version | tr -c 'A-Za-z0-9.\n' '_')
template="$base/$version"
(
    flock 9
    if [ ! -d "$template" ]; then
        rm -rf "$template.new"
        "$bin/initdb" -D "$template.new" -U onus --auth=trust --encoding=UTF8 --locale=C --no-sync >"$base/initdb.log" 2>&1 ||
            { cat "$base/initdb.log" >&2; exit 1; }
        mv "$template.new" "$template"
    fi
) 9>"$base/lock"

run=$(mktemp -d "$base/run.XXXXXX")
finish() {
    "$bin/pg_ctl" -s -D "$run/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$run"
}
trap finish EXIT
cp -a --reflink=auto "$template" "$run/data"
options="-k $run -h '' -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c shared_buffers=32MB -c autovacuum=off"
"$bin/pg_ctl" -s -w -D "$run/data" -l "$run/log" -o "$options" start >/dev/null ||
    { cat "$run/log" >&2; exit 1; }
echo "$run"
cat >/dev/null
