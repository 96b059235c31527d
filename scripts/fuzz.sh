#!/usr/bin/env bash
# The long forms of the fuzz tests: every parser for SECONDS_IN_ALL together, then the hostile files of the corpus and COUNT hurt ones.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${SECONDS_IN_ALL:-600}
targets=$(cargo test --release --quiet -p photovault -p photovault-fuzz --lib -- --list parsers:: | grep -c ': test$')
say() { printf '\n── %s\n' "$*"; }

say "$targets parsers, $((seconds / targets)) seconds each"
# One after another: each says how many inputs it took, and what broke it with the seed that brings it back.
BOLERO_RANDOM_TEST_TIME_MS=$((seconds * 1000 / targets)) BOLERO_RANDOM_ITERATIONS=1000000000000 \
    cargo test --release --quiet -p photovault -p photovault-fuzz --lib -- --test-threads 1 --nocapture parsers::

say 'files'
cargo build --release -p photovault -p photovault-fuzz
if [ -n "${PHOTOVAULT_CORPUS:-}" ]; then
    "$CARGO_TARGET_DIR/release/photovault-fuzz" "$PHOTOVAULT_CORPUS" "${COUNT:-20000}" "${SEED:-0}"
else
    echo 'skipped: PHOTOVAULT_CORPUS does not say where the corpus is'
fi
