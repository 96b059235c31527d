#!/usr/bin/env bash
# The long forms of the reliability tests: 1,000 kills, a burst of 10,000 uploads, 500 poison jobs, 1,000 gaps. Takes some
# twenty minutes; the figures stand in docs/reliability.md.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n── %s\n' "$*"; }

say 'the command that the tests run'
cargo build --release
say 'long tests'
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
# One after the other: each measures what the engine does with the whole machine.
for test in gaps::one_pass kills::kill_nine_a_thousand burst::a_burst_of_ten poison::five_hundred; do
    cargo test --release --package photovault --package photovault-tests --test vault -- "$test" --include-ignored --nocapture --test-threads 1 \
        2>&1 | tee -a "$log" || status=1
done
say 'figures'
sed -n 's/.*figure: //p' "$log"
exit "$status"
