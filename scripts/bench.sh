#!/usr/bin/env bash
# Measures what importing costs and whether it grows with the vault. Takes some minutes; the machine should be otherwise idle.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n── %s\n' "$*"; }

cargo build --release
photovault=$CARGO_TARGET_DIR/release/photovault
python=$PHOTOVAULT_VENV/bin/python

say 'codec and hash CPU against all CPU; photos a second beside a shell loop'
if command -v vipsthumbnail >/dev/null && command -v exiftool >/dev/null; then
    "$python" benches/import.py --photovault "$photovault"
else
    echo 'skipped: needs vipsthumbnail and exiftool to compare with (on Debian: libvips-tools, libimage-exiftool-perl)'
fi
say 'start of a function to its first response'
"$python" benches/starts.py --photovault "$photovault"
say 'what one photo more costs in vaults of 10,000 and of 1,000,000 items (long: the second is filled for minutes)'
"$python" benches/scale.py --photovault "$photovault"
say 'a hurt vault of 10,000 photos: what is found, and the restore drill'
"$python" benches/keep.py --photovault "$photovault"
say 'derivatives of one still beside sharp, vipsthumbnail, ImageMagick, libjpeg-turbo and libheif'
cargo build --release -p photovault-media --example stills
python3 benches/stills.py --stills "$CARGO_TARGET_DIR/release/examples/stills"
say 'what is made of videos beside ffmpeg, and the work that the slow track predicts'
cargo build --release -p photovault-movie --example show
python3 benches/video.py --show "$CARGO_TARGET_DIR/release/examples/show"
