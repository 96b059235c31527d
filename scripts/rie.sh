#!/usr/bin/env bash
# Runs a function that `make lambda` built under AWS's Runtime Interface Emulator, in a root folder that holds glibc 2.31 (Debian 11's;
# Amazon Linux 2023 has 2.34), the function at /var/task, the layer at /opt, and nothing of this machine: no container engine.
#   rie.sh FUNCTION-FOLDER LAYER-FOLDER ADDRESS RUNTIME-API-ADDRESS      (LAYER-FOLDER '' is none)
# The variables of the function are those of the caller. Then:
#   curl -d @event.json http://ADDRESS/2015-03-31/functions/function/invocations
#   ARCHITECTURE=x86_64|arm64  (default: x86_64)
# Needs Linux, and root or user namespaces; for the other processor also QEMU, registered with the kernel, as Debian's
# qemu-user-static does it. QEMU has no seccomp, so a decoder is not confined there; and since it writes what /proc/self/auxv holds
# into a file, the decoder of photos, which may write none, ends (SIGXFSZ), unless the sixth prlimit64 of each thread is kept from it:
#   strace -f -p RIE -e trace=prlimit64 -e inject=prlimit64:retval=0:when=6
set -euo pipefail
cd "$(dirname "$0")/.."
architecture=${ARCHITECTURE:-x86_64}
# shellcheck source=scripts/cross.sh
. scripts/cross.sh
# shellcheck source=scripts/fetch.sh
. scripts/fetch.sh
function=$(cd "$1" && pwd)
layer=${2:+$(cd "$2" && pwd)}

machine=$(uname -m)
[ "$machine" = "${triple%%-*}" ] || [ -e "/proc/sys/fs/binfmt_misc/qemu-${triple%%-*}" ] ||
    { echo "rie.sh: this machine does not run programs for $architecture: install qemu-user-static" >&2; exit 1; }
case $architecture in
    x86_64) debian=amd64 glibc_sum=05f7264da867b37f4c5ce49266b558ea1e81e05a9464f623152fca70f3550282 ;;
    arm64) debian=arm64 glibc_sum=baaa9aa184e2f21738c5819055e6740cc5b22f198e3f416e33f82b40ff6933d8 ;;
esac
root=$cache/cross/glibc-${glibc_sum:0:16}
if [ ! -d "$root" ]; then
    package=$(fetch glibc "$glibc_sum" "g/glibc/libc6_2.31-13+deb11u11_$debian.deb")
    made=$(mktemp -d "$cache/cross/root.XXXXXX")
    ar p "$package" data.tar.xz | tar -xJ -C "$made" --exclude ./usr --exclude ./etc
    mkdir -p "$made"/{dev,proc,tmp,opt,var/task,var/rie}
    # The emulator itself is this machine's: a static program.
    cp "$venv"/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-"${machine/aarch64/arm64}" "$made/var/rie/rie"
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
