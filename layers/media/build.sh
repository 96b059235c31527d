#!/usr/bin/env bash
# Builds the media layer from sources.txt: build.sh [x86_64|arm64]. Prints the folder that holds
#   opt/   what is zipped as the layer and appears at /opt: the libraries and their licences
#   sdk/   headers and pkg-config files, for linking functions against it
# It is kept under the hash of all that it depends on, so a second call only prints.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
architecture=${1:-x86_64}
# shellcheck source=scripts/cross.sh
. "$here/../../scripts/cross.sh"
# shellcheck source=scripts/fetch.sh
. "$here/../../scripts/fetch.sh"

# The decoders that shared/movie lets in, under configure's names. FFmpeg's own `av1` only drives graphics cards.
decoders=$(sed -n '/const DECODERS: &str/,/;$/p' "$here/../../shared/movie/src/open.rs" | tr -d ' \\\n' |
    sed 's/^[^"]*"//; s/".*//; s/,libvpx-vp9//; s/,libopencore_[a-z]*//g; s/,libopus//; s/,av1,/,/; s/,msmpeg4,/,msmpeg4v3,/')

main() {
    local hash
    hash=$(cat "$here/build.sh" "$here/sources.txt" "$here/../../scripts/cross.sh" <(echo "$decoders" && "$zig" version) | sha256sum | cut -c1-16)
    out=$cache/layers/$architecture-$hash
    if [ ! -d "$out" ]; then
        work=$(mktemp -d "$cache/layer.XXXXXX")
        sdk=$work/made/sdk
        mkdir -p "$sdk" "$work/made/opt/lib"
        export PATH="$venv/bin:$PATH" PKG_CONFIG_LIBDIR="$sdk/lib/pkgconfig" PKG_CONFIG_PATH=''
        jobs=$(nproc)
        for name in libde265 dav1d openh264 libwebp ffmpeg; do
            echo "layer: $name" >&2
            unpack "$name"
            (cd "$work/$name" && "build_$name") >"$work/log" 2>&1 || { tail -40 "$work/log" >&2; exit 1; }
        done
        finish
        mkdir -p "$cache/layers"
        mv -T "$work/made" "$out"
        rm -rf "$work"
        # pkg-config files name the folder in which they were built.
        sed -i "s#$sdk#$out/sdk#g" "$out"/sdk/lib/pkgconfig/*.pc
    fi
    echo "$out"
}

# Unpacks an archive of sources.txt into a folder of the part's name.
unpack() {
    local sum pool url archive
    read -r _ _ sum pool url < <(grep "^$1 " "$here/sources.txt")
    archive=$(fetch "$1" "$sum" "$pool" "$url")
    mkdir "$work/$1"
    tar -xf "$archive" -C "$work/$1" --strip-components 1
}

with_cmake() {
    cmake -S . -B build -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$sdk" -DCMAKE_INSTALL_LIBDIR=lib \
        -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR="${triple%%-*}" -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_SHARED_LINKER_FLAGS=-s \
        -DCMAKE_C_COMPILER="$tools/cc" -DCMAKE_CXX_COMPILER="$tools/c++" -DCMAKE_AR="$tools/ar" -DCMAKE_RANLIB="$tools/ranlib" "$@"
    cmake --build build -j "$jobs" && cmake --install build
}

with_meson() {
    cat >cross.ini <<INI
[binaries]
c = '$tools/cc'
cpp = '$tools/c++'
ar = '$tools/ar'
pkg-config = 'pkg-config'
[host_machine]
system = 'linux'
cpu_family = '${triple%%-*}'
cpu = '${triple%%-*}'
endian = 'little'
INI
    meson setup build --cross-file cross.ini --buildtype release --prefix "$sdk" --libdir lib --default-library shared \
        -Dc_link_args=-s -Dcpp_link_args=-s "$@"
    ninja -C build -j "$jobs" && ninja -C build install
}

build_libde265() { with_cmake -DBUILD_SHARED_LIBS=ON -DENABLE_SDL=OFF -DENABLE_DECODER=OFF -DENABLE_ENCODER=OFF; }
build_dav1d() { with_meson -Denable_tools=false -Denable_tests=false; }
build_openh264() { with_meson -Dtests=disabled; }
# In libavcodec, the one that uses it: its licence lets it.
build_libwebp() {
    local off=()
    for part in ANIM_UTILS CWEBP DWEBP GIF2WEBP IMG2WEBP VWEBP WEBPINFO WEBPMUX EXTRAS; do off+=("-DWEBP_BUILD_$part=OFF"); done
    with_cmake -DBUILD_SHARED_LIBS=OFF "${off[@]}"
}

build_ffmpeg() {
    ./configure --prefix="$sdk" --enable-cross-compile --target-os=linux --arch="${triple%%-*}" \
        --cc="$tools/cc" --cxx="$tools/c++" --ar="$tools/ar" --ranlib="$tools/ranlib" --pkg-config=pkg-config --pkg-config-flags=--static \
        --extra-ldflags=-s --disable-stripping --disable-everything --disable-autodetect --disable-network --disable-programs --disable-doc --disable-debug \
        --disable-avdevice --disable-avfilter --disable-static --enable-shared \
        --enable-libdav1d --enable-libopenh264 --enable-libwebp \
        --enable-demuxer=mov,matroska,avi,mpegps,mpegvideo,mpegts \
        --enable-decoder="$decoders" \
        --enable-parser=h264,hevc,av1,vp8,vp9,mpeg4video,h263,mpegvideo,mjpeg,aac,aac_latm,ac3,mpegaudio,opus,vorbis,flac,amr \
        --enable-muxer=mp4 --enable-encoder=libopenh264,libwebp_anim,aac
    # configure finds the declaration and not that the function left glibc in 2.32.
    sed -i 's/#define HAVE_SYSCTL 1/#define HAVE_SYSCTL 0/' config.h
    make -j "$jobs" && make install
}

# What runs: each library under the name that programs ask for, and the licences.
finish() {
    local library name
    for library in "$sdk"/lib/*.so; do
        name=$(readelf -d "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
        cp -L "$library" "$work/made/opt/lib/$name"
    done
    mkdir -p "$work/made/opt/licences"
    for name in libde265 dav1d openh264 libwebp; do
        find "$work/$name" -maxdepth 1 \( -name COPYING -o -name LICENSE \) -exec cat {} + >"$work/made/opt/licences/$name"
    done
    cp "$work/ffmpeg/COPYING.LGPLv2.1" "$work/made/opt/licences/ffmpeg"
}

main
