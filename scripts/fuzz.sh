#!/usr/bin/env bash
# The long forms of the fuzz tests: every parser for SECONDS in all, then the hostile files of the corpus and COUNT hurt ones.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release -p photovault -p photovault-fuzz
fuzz=$CARGO_TARGET_DIR/release/photovault-fuzz
"$fuzz" targets "${SECONDS_IN_ALL:-600}" "${SEED:-0}"
if [ -n "${PHOTOVAULT_CORPUS:-}" ]; then
    "$fuzz" corpus "$PHOTOVAULT_CORPUS" "${COUNT:-20000}" "${SEED:-0}"
else
    echo 'skipped: PHOTOVAULT_CORPUS does not say where the corpus is'
fi
