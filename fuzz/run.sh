#!/bin/sh
# Runs every fuzz target: fuzz/run.sh [EXECUTIONS] [SEED]
#
# With cargo-fuzz the targets run under libFuzzer, with coverage, in all dialects at once; RUSTC_BOOTSTRAP lets a stable
# compiler do that. Without it, or with ONUS_FUZZ=drive, the seeded driver runs each target for each dialect.
set -eu
cd "$(dirname "$0")"
executions="${1:-1000000}"
seed="${2:-1}"
targets="decode mask roundtrip leak import_spec layout rows"

if [ "${ONUS_FUZZ:-}" != drive ] && cargo fuzz --version >/dev/null 2>&1; then
    for target in $targets; do
        echo "== $target: $executions executions under libFuzzer"
        RUSTC_BOOTSTRAP=1 cargo fuzz run --features libfuzzer --sanitizer none "$target" -- \
            -runs="$executions" -seed="$seed" -max_len=4096 -print_final_stats=1
    done
else
    cargo build --release --bin drive
    drive="${CARGO_TARGET_DIR:-target}/release/drive"
    for target in $targets; do
        "$drive" "$target" all "$executions" "$seed"
    done
fi
