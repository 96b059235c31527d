#!/usr/bin/env bash
# Says what of a program or library Amazon Linux 2023 lacks, and fails then: glibc.sh LAYER FILE …
# LAYER is the folder that appears at /opt, or '' for a function without one. Every file may need glibc up to 2.34, the libraries
# of glibc and GCC's runtime, which Lambda's provided.al2023 has, and what lies in the layer: nothing else.
set -euo pipefail
newest_allowed=GLIBC_2.34
libraries='libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libgcc_s.so.1 ld-linux-x86-64.so.2 ld-linux-aarch64.so.1'

layer=$1
shift
[ $# -gt 0 ] || { echo "glibc.sh: no file to look at" >&2; exit 2; }
status=0
complain() { echo "$file needs $*" >&2; status=1; }

for file in "$@"; do
    dynamic=$(readelf --dynamic --wide "$file")
    # Names without a number, as GLIBC_ABI_DT_RELR (2.36), sort behind all numbers.
    newest=$(readelf --version-info --wide "$file" | sed -n "/^Version needs/,\$ s/.*Name: \(GLIBC_[^ ]*\) .*/\1/p" | sort -V | tail -1)
    [ "$(printf '%s\n' "$newest" "$newest_allowed" | sort -V | tail -1)" = "$newest_allowed" ] ||
        complain "$newest; Amazon Linux 2023 has glibc up to $newest_allowed"
    for library in $(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic"); do
        [[ " $libraries " == *" $library "* ]] || { [ -n "$layer" ] && [ -e "$layer/lib/$library" ]; } ||
            complain "$library, which neither Amazon Linux 2023 nor ${layer:-a function without the layer} has"
    done
    ! grep -q 'R.*PATH)' <<<"$dynamic" || complain "a library path of the machine that built it"
done
exit "$status"
