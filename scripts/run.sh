#!/usr/bin/env bash
# Builds, starts the vault, imports photos and stays until Ctrl-C. PHOTOS=dir imports those instead of a generated library,
# DATA=dir keeps the vault elsewhere, ONCE=1 (and CI) ends after the import.
set -euo pipefail
cd "$(dirname "$0")/.."

data=${DATA:-vault-data}
photos=${PHOTOS:-}

say() { printf '\n── %s\n' "$*"; }

say 'build'
cargo build --release
photovault=$CARGO_TARGET_DIR/release/photovault

if [ -z "$photos" ]; then
    [ -f sample/truth.json ] || { say 'a sample library, in sample/'; "$photovault" sample sample; }
    photos=sample/photos
fi

answers() { "$photovault" ls --data "$data" --limit 1 >/dev/null 2>&1; }

engine=
stop() {
    [ -n "$engine" ] || return 0
    kill "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
    engine=
}
trap stop EXIT
trap 'exit 130' INT TERM

if answers; then
    say "a vault is running on $data"
else
    say "the vault, in $data/"
    "$photovault" up --data "$data" &
    engine=$!
    until answers; do
        kill -0 "$engine" 2>/dev/null || { wait "$engine"; exit 1; }
        sleep 0.1
    done
fi

say "import of $photos"
"$photovault" import "$photos" --data "$data"

[ "$data" = vault-data ] && flag= || flag=" --data $data"
[ "$CARGO_TARGET_DIR" = "$PWD/target" ] && shown=target/release/photovault || shown=$photovault
cat <<END

What now? In another terminal, in this folder:
  alias photovault='$shown'
  photovault ls$flag                   every item and how it ended
  photovault show MEDIA$flag           one item: its facts, its pictures, what happened to it
  photovault import ~/Pictures$flag    your own photos; a second time sends only what is new
  photovault failures$flag             what is not in the vault, and why
  photovault --help                    the rest
END
[ -n "$engine" ] || exit 0
if [ -n "${ONCE:-}${CI:-}" ]; then exit 0; fi
printf '\nThe vault runs until Ctrl-C. Everything stays in %s/.\n' "$data"
wait "$engine"
