# shellcheck shell=bash disable=SC2016,SC2154
# Sourced, after cross.sh: archives by their SHA-256, from Debian's pool or from upstream, kept in the cache.

# fetch NAME SHA256 PATH-IN-POOL URL: prints the file. The URL may be missing: then only Debian has it.
fetch() {
    local name=$1 sum=$2 pool=$3 url=${4:-} helper=/usr/lib/apt/apt-helper mirror='' part
    local file=$cache/sources/${pool##*/}
    if ! echo "$sum  $file" | sha256sum --check --status 2>/dev/null; then
        mkdir -p "$cache/sources"
        part=$(mktemp -d)
        [ -x "$helper" ] && mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/$')
        # apt's downloader knows the machine's proxies and mirrors, and drops its privileges.
        chmod 777 "$part"
        { [ -n "$mirror" ] && "$helper" -q download-file "${mirror}pool/main/$pool" "$part/archive" "SHA256:$sum" >&2; } ||
            { [ -n "$url" ] && curl -fsSL --retry 3 -o "$part/archive" "$url"; } ||
            { echo "fetch: found $name neither in Debian's pool ($pool) nor upstream (${url:-no address})" >&2; return 1; }
        echo "$sum  $part/archive" | sha256sum --check --quiet >&2 || return 1
        mv "$part/archive" "$file"
        rm -rf "$part"
    fi
    echo "$file"
}
