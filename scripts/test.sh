#!/usr/bin/env bash
# The gate: format, lints, every test. The last line says how many tests passed and failed.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n── %s\n' "$*"; }

say 'format'
cargo fmt --all --check
say 'lints'
cargo clippy --release --workspace --all-targets --quiet -- -D warnings
say 'the command that the stories run'
cargo build --release
say 'tests'
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
cargo test --release --workspace --lib --bins --tests --no-fail-fast 2>&1 | tee "$log" || status=$?
awk '/^test result:/ { passed += $4; failed += $6; skipped += $8 }
     END { printf "\n%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$log"
exit "$status"
