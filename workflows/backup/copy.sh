#!/bin/sh
# copy.sh SOURCE PARTIAL PREVIOUS quick|full: builds a whole tree in PARTIAL/data, hard links where nothing changed.
#
# The tree starts as hard links to everything in PREVIOUS (none given: empty). What differs from the source is
# unlinked, never written to, so that no older snapshot changes; then it is copied anew. Lists are separated by
# NUL: file names may hold anything else. Sockets, FIFOs and devices are not backed up.
set -eu

source=$1
partial=$2
previous=$3
compare=$4

# A folder that was read-only in the source is so here, and keeps its owner from emptying it.
remove() {
    find "$1" -type d ! -perm -u=rwx -exec chmod u+rwx {} +
    rm -rf "$1"
}

# An attempt that was interrupted left a tree that nobody knows: start over.
if [ -d "$partial" ]; then remove "$partial"; fi
mkdir -p "$partial/data"
lists=$(mktemp -d "$partial/.lists.XXXXXX")
if [ -n "$previous" ]; then cp -al "$previous/data/." "$partial/data/"; fi

# One record per entry, `key<TAB>path`. A folder's size and time say nothing about what is in it, so they are left out.
list() {
    (cd "$1" && find . -mindepth 1 \( \
        -type d -printf 'd %m\t%P\0' -o \
        -type l -printf 'l %l\t%P\0' -o \
        -type f -printf 'f %s %T@ %m\t%P\0' \)) | LC_ALL=C sort -z
}
paths() { sed -z 's/^[^\t]*\t//'; }

list "$source" >"$lists/source"
list "$partial/data" >"$lists/stored"
# A read-only folder of the source must not keep its stored twin from being changed; modes are set at the end.
find "$partial/data" -type d ! -perm -u=rwx -exec chmod u+rwx {} +

# Gone, or different: whatever is stored but not so in the source. Files only, then folders from the inside out.
LC_ALL=C comm -z -13 "$lists/source" "$lists/stored" >"$lists/stale"
grep -z '^[fl]' "$lists/stale" | paths >"$lists/stale.files" || true
(cd "$partial/data" && xargs -0 -r rm -f -- <"$lists/stale.files")
grep -z '^d' "$lists/stored" | paths | LC_ALL=C sort -z >"$lists/stored.folders" || true
grep -z '^d' "$lists/source" | paths | LC_ALL=C sort -z >"$lists/source.folders" || true
LC_ALL=C comm -z -13 "$lists/source.folders" "$lists/stored.folders" | LC_ALL=C sort -z -r >"$lists/stale.folders"
(cd "$partial/data" && xargs -0 -r rmdir -- <"$lists/stale.folders")

# On request, files that look alike are compared byte by byte. Their times cannot tell them apart: the copy can.
if [ "$compare" = full ]; then
    LC_ALL=C comm -z -12 "$lists/source" "$lists/stored" >"$lists/alike"
    grep -z '^f' "$lists/alike" | paths >"$lists/alike.files" || true
    (cd "$source" && xargs -0 -r sh -c '
        data=$1
        shift
        for path in "$@"; do
            cmp -s -- "$path" "$data/$path" || rm -f -- "$data/$path"
        done' sh "$partial/data" <"$lists/alike.files")
    list "$partial/data" >"$lists/stored"
fi

# tar carries links, modes, times (posix: to the nanosecond) and, for root, owners. Its two ends are checked apart,
# by way of a file: in a pipe, a failure of the first would be lost.
pack() { tar --format=posix --null --no-recursion --verbatim-files-from -C "$source" -T "$1" -cf "$2"; }
LC_ALL=C comm -z -23 "$lists/source" "$lists/stored" | paths >"$lists/wanted"
pack "$lists/wanted" "$lists/changed.tar"
tar -C "$partial/data" -xpf "$lists/changed.tar"
rm -f "$lists/changed.tar"
# Folders last: what was done inside them has moved their times.
pack "$lists/source.folders" "$lists/folders.tar"
tar -C "$partial/data" -xpf "$lists/folders.tar"
touch -r "$source" "$partial/data"

count() { tr -dc '\0' | wc -c; }
copied=$(LC_ALL=C comm -z -23 "$lists/source" "$lists/stored" | grep -z '^[fl]' | count)
files=$(grep -z '^[fl]' "$lists/source" | count)
removed=$(cd "$source" && xargs -0 -r sh -c '
    for path in "$@"; do
        [ -e "$path" ] || [ -L "$path" ] || printf x
    done' sh <"$lists/stale.files" | wc -c)
bytes=$(tr '\0\n' '\n ' <"$lists/source" | awk '$1 == "f" { sum += $2 } END { printf "%.0f", sum }')
rm -rf "$lists"

jq -n --argjson files "$files" --argjson bytes "$bytes" --argjson copied "$copied" --argjson removed "$removed" \
    '{files: $files, bytes: $bytes, copied: $copied, linked: ($files - $copied), removed: $removed}'
