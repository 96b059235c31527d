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
# The emulator, and the root in which it runs, are for this kind of machine alone. In a profile that is quick to build.
if [ "$(uname -sm)" = 'Linux x86_64' ]; then
    say 'functions for Lambda, and their layer'
    PROFILE=lambda-test scripts/lambda.sh media panics notify thumbnail video
fi
say 'tests'
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
# More at once than there are processors: most of them wait for a digest, for queues, for children.
export RUST_TEST_THREADS=$(($(getconf _NPROCESSORS_ONLN) + 2))
cargo test --release --workspace --lib --bins --tests --no-fail-fast 2>&1 | tee "$log" || status=$?
awk '/^test result:/ { passed += $4; failed += $6; skipped += $8 }
     END { printf "\n%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$log"
histories=200000
say "the simulation: $histories histories of faults"
cargo build --release --quiet --workspace --bin photovault-simulation
# Errors without backtraces: nobody reads them here, and they cost a tenth of the time.
RUST_LIB_BACKTRACE=0 "${CARGO_TARGET_DIR:-target}/release/photovault-simulation" --histories "$histories" || status=$?
say 'the simulation finds every deliberate fault'
cargo test --release --quiet -p photovault -p photovault-simulation --features photovault-simulation/mutants --test mutants || status=$?
exit "$status"
