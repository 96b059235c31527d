#!/usr/bin/env bash
# Builds functions for Amazon Linux 2023 with zig, no container: lambda.sh [function …], all without a name.
#   ARCHITECTURE=x86_64|arm64  (default: x86_64)   PROFILE=lambda|lambda-test  (default: lambda)
# `media` is the layer; an example of shared/lambda may be named like a function.
# Puts <function>/bootstrap and <function>.zip into $CARGO_TARGET_DIR/<profile>/<architecture>.
# With ARTIFACTS_DIR, as `sam build` sets it, the one function's bootstrap, or what `media` holds, goes there instead.
set -euo pipefail
cd "$(dirname "$0")/.."
architecture=${ARCHITECTURE:-x86_64}
# shellcheck source=scripts/cross.sh
. scripts/cross.sh
profile=${PROFILE:-lambda}
target=${CARGO_TARGET_DIR:-$cache/target}
out=$target/$profile/$architecture
all=(functions/*/)
all=("${all[@]#functions/}")
all=("${all[@]%/}")
[ $# -gt 0 ] || set -- media "${all[@]}"

# Every package is named, whichever is wanted: what they share is then built once for all, and not for each with features of its own.
packages=(-p photovault-lambda)
for function in "${all[@]}"; do packages+=(-p "photovault-$function"); done
wanted=()
for function in "$@"; do
    if [ -d "functions/$function" ]; then wanted+=(--bin "$function")
    elif [ -f "shared/lambda/examples/$function.rs" ]; then wanted+=(--example "$function")
    elif [ "$function" != media ]; then echo "knows no function $function: media, ${all[*]}" >&2; exit 1
    fi
done

# Whether it is the layer, or is linked against it: what reads photos has libheif in it.
uses_codecs() {
    [ "$1" = media ] ||
        { [ -d "functions/$1" ] && cargo tree --locked --quiet -p "photovault-$1" -e normal --prefix none | grep -q '^libheif-sys '; }
}
layer=''
for function in "$@"; do
    if uses_codecs "$function"; then layer=$(layers/media/build.sh "$architecture"); break; fi
done

# The libraries of the layer and no others: what the machine has is of another glibc.
export PKG_CONFIG_LIBDIR=$layer/sdk/lib/pkgconfig PKG_CONFIG_PATH='' PKG_CONFIG_ALLOW_CROSS=1
export CMAKE_PREFIX_PATH=$layer/sdk SYSTEM_DEPS_LIBHEIF_LINK=static PATH="$venv/bin:$PATH"
if [ ${#wanted[@]} -gt 0 ]; then
    rustup target list --installed | grep -qx "$triple" || rustup target add "$triple"
    cargo zigbuild --locked --target "$triple.$glibc" --profile "$profile" --target-dir "$target" "${packages[@]}" "${wanted[@]}"
fi

# One time for every file and one order: the same sources give the same zip.
zip_folder() {
    "$venv/bin/python" - "$1" "$2" <<'PY'
import pathlib, sys, zipfile
folder, target = pathlib.Path(sys.argv[1]), sys.argv[2]
with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (2000, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, path.read_bytes())
PY
}

# The layer itself, and what the template puts on it.
needs_layer() {
    [ "$1" = media ] || sed -n "/CodeUri: functions\/$1\$/,/^  [A-Z]/p" template.yaml | grep -q '^      Layers:'
}

for function in "$@"; do
    folder=$out/$function
    rm -rf "$folder" && mkdir -p "$folder"
    if [ "$function" = media ]; then
        cp -R "$layer/opt/." "$folder"
    else
        made=$target/$triple/$profile/$function
        [ -f "$made" ] || made=$target/$triple/$profile/examples/$function
        cp "$made" "$folder/bootstrap"
    fi
    find "$folder" \( -name bootstrap -o -name '*.so.*' \) -exec scripts/glibc.sh "$(needs_layer "$function" && echo "$layer/opt")" {} +
    if [ -n "${ARTIFACTS_DIR:-}" ]; then
        cp -R "$folder/." "$ARTIFACTS_DIR"
    else
        zip_folder "$folder" "$folder.zip"
        printf '%-10s %6.1f MB, zipped %5.1f MB\n' "$function" \
            "$(du -bs "$folder" | awk '{ print $1 / 1e6 }')" "$(stat -c %s "$folder.zip" | awk '{ print $1 / 1e6 }')"
    fi
done
