# shellcheck shell=bash
# Sourced: the cross toolchain of the layer and the functions, which is zig from PyPI, no container.
#
# What is built runs on any Linux whose glibc is at least $glibc. Amazon Linux 2023 has 2.34; 2.31 is what Debian 11 has, in
# which the tests run the result.
# Takes: architecture (x86_64 or arm64). Sets: cache, venv, glibc, triple, zig, tools (a folder of cc, c++, ar, ranlib).

cache=${XDG_CACHE_HOME:-$HOME/.cache}/photovault
venv=${PHOTOVAULT_VENV:-$cache/venv}
glibc=2.31
case ${architecture:=x86_64} in
    x86_64) triple=x86_64-unknown-linux-gnu ;;
    arm64) triple=aarch64-unknown-linux-gnu ;;
    *) echo "unknown architecture $architecture: x86_64 or arm64" >&2; exit 1 ;;
esac
zig=$("$venv/bin/python" -c 'import pathlib, ziglang; print(pathlib.Path(ziglang.__file__).with_name("zig"))') ||
    { echo "found no zig in $venv: make setup installs it" >&2; exit 1; }

# Programs that build systems call by one word, in a folder of their own.
tools=$cache/cross/$triple.$glibc
mkdir -p "$tools"
for program in cc c++; do
    printf '#!/bin/sh\nexec "%s" %s -target %s "$@"\n' "$zig" "$program" "${triple/-unknown/}.$glibc" >"$tools/$program"
done
for program in ar ranlib; do
    printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$zig" "$program" >"$tools/$program"
done
chmod +x "$tools"/*
