#!/usr/bin/env bash
# Runs a function that `make lambda` built under AWS's Runtime Interface Emulator, in a root folder that holds glibc 2.31 (Debian 11's;
# Amazon Linux 2023 has 2.34), the function at /var/task, the layer at /opt, and nothing of this machine: no container engine.
#   rie.sh FUNCTION-FOLDER LAYER-FOLDER ADDRESS RUNTIME-API-ADDRESS      (LAYER-FOLDER '' is none)
# The variables of the function are those of the caller. Then:
#   curl -d @event.json http://ADDRESS/2015-03-31/functions/function/invocations
# Needs Linux on x86_64, and root or user namespaces.
set -euo pipefail
cd "$(dirname "$0")/.."
architecture=x86_64
# shellcheck source=scripts/cross.sh
. scripts/cross.sh
# shellcheck source=scripts/fetch.sh
. scripts/fetch.sh
function=$(cd "$1" && pwd)
layer=${2:+$(cd "$2" && pwd)}

glibc_sum=05f7264da867b37f4c5ce49266b558ea1e81e05a9464f623152fca70f3550282
root=$cache/cross/glibc-${glibc_sum:0:16}
if [ ! -d "$root" ]; then
    package=$(fetch glibc "$glibc_sum" g/glibc/libc6_2.31-13+deb11u11_amd64.deb)
    made=$(mktemp -d "$cache/cross/root.XXXXXX")
    ar p "$package" data.tar.xz | tar -xJ -C "$made" ./lib ./lib64
    mkdir -p "$made"/{dev,proc,tmp,opt,var/task,var/rie}
    cp "$venv"/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64 "$made/var/rie/rie"
    chmod 755 "$made" "$made/var/rie/rie"
    mv -T "$made" "$root" 2>/dev/null || rm -rf "$made" # another one was quicker
fi

# As Lambda sets it for provided.al2023.
export LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib LAMBDA_TASK_ROOT=/var/task
mapped=$([ "$(id -u)" = 0 ] || echo --map-root-user)
# Mounts and processes of its own: both are gone with this one.
# shellcheck disable=SC2086
exec unshare $mapped --mount --pid --fork --kill-child /bin/sh -ec '
    root=$1
    mount --make-rprivate / 2>/dev/null || true
    mount --bind "$2" "$root/var/task"
    [ -z "$3" ] || mount --bind "$3" "$root/opt"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mount -t tmpfs tmpfs "$root/tmp"
    unset LD_PRELOAD
    rie=$4 api=$5
    exec /usr/sbin/chroot "$root" /var/rie/rie --runtime-interface-emulator-address "$rie" --runtime-api-address "$api" /var/task/bootstrap
' sh "$root" "$function" "$layer" "$3" "$4"
