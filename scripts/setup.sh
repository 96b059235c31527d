#!/usr/bin/env bash
# Installs what the build needs and what is missing, and says so; with `python`, `peers` and `clamav` also what the tests need of these.
# Silent when there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else fail "needs root for: $* (run it yourself, then again)"
    fi
}

native_packages() {
    local missing=()
    if command -v apt-get >/dev/null; then
        for package in libde265-dev libdav1d-dev libnuma-dev libavcodec-dev libavformat-dev libswscale-dev libswresample-dev libavutil-dev cmake nasm clang libclang-dev pkg-config g++ make binutils xz-utils curl python3-venv; do
            # A Python that makes virtual environments by itself does not need Debian's package.
            if [ "$package" = python3-venv ] && python3 -c 'import venv, ensurepip' 2>/dev/null; then continue; fi
            dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
        done
        [ ${#missing[@]} = 0 ] && return
        say "apt-get install ${missing[*]}"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    elif command -v dnf >/dev/null; then
        for package in libde265-devel libdav1d-devel numactl-devel ffmpeg-free-devel cmake nasm perl clang clang-devel pkgconf-pkg-config gcc-c++ make python3; do
            rpm -q "$package" >/dev/null 2>&1 || missing+=("$package")
        done
        [ ${#missing[@]} = 0 ] && return
        say "dnf install ${missing[*]}"
        as_root dnf install -y -q "${missing[@]}"
    elif command -v brew >/dev/null; then
        for package in libde265 dav1d ffmpeg cmake nasm llvm pkg-config python3; do
            brew list "$package" >/dev/null 2>&1 || missing+=("$package")
        done
        [ ${#missing[@]} = 0 ] && return
        say "brew install ${missing[*]}"
        brew install -q "${missing[@]}"
    else
        fail "found neither apt-get, dnf nor brew: install libde265, dav1d, FFmpeg's libraries, cmake, nasm, clang, pkg-config and python3 yourself"
    fi
}

# The tests scan with the real daemon; it is not started as a service.
virus_scanner() {
    command -v clamd >/dev/null && return
    if command -v apt-get >/dev/null; then
        say 'apt-get install clamav-daemon (for the tests of virus scanning)'
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends clamav-daemon >/dev/null
    elif command -v dnf >/dev/null; then
        say 'dnf install clamd (for the tests of virus scanning)'
        as_root dnf install -y -q clamd
    elif command -v brew >/dev/null; then
        say 'brew install clamav (for the tests of virus scanning)'
        brew install -q clamav
    fi
}

# $1: the virtual environment, $2: what it has to have, $3: in words.
python_tools() {
    local venv=$1 wanted=$2
    cmp -s "$wanted" "$venv/installed.txt" && return
    say "$3 into $venv"
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$venv/installed.txt"
}

command -v cargo >/dev/null || fail "found no cargo: install Rust from https://rustup.rs, then again"
native_packages
for need in "$@"; do
    case $need in
        python) python_tools "$PHOTOVAULT_VENV" tests/requirements.txt 'Python tools of the tests (boto3, awscli, aws-sam-cli, cfn-lint)' ;;
        peers) python_tools "$PHOTOVAULT_VENV-peers" tests/requirements-peers.txt 'emulators of AWS (moto, ministack)' ;;
        clamav) virus_scanner ;;
        *) fail "knows no $need: python, peers or clamav" ;;
    esac
done
