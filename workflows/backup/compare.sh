#!/bin/sh
# compare.sh SOURCE PARTIAL LIMIT: reads every file on both sides; names at most LIMIT that differ.
set -eu

source=$1
partial=$2
limit=$3

# One line per entry, whatever its name: sha256sum escapes line feeds, tr blurs them in the targets of links.
sums() { (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum --); }
links() { (cd "$1" && find . -type l -printf '%l  %p\0' | tr '\n\0' ' \n'); }

rm -rf "$partial"/.compare.*
lists=$(mktemp -d "$partial/.compare.XXXXXX")
trap 'rm -rf "$lists"' EXIT
sums "$partial/data" >"$lists/stored"
sums "$source" >"$lists/source"
# The checksums stay with the snapshot: years later `cd data && sha256sum -c ../SHA256SUMS` finds what rotted.
cp "$lists/stored" "$partial/SHA256SUMS"
checked=$(wc -l <"$lists/stored")
links "$partial/data" >>"$lists/stored"
links "$source" >>"$lists/source"
for side in stored source; do LC_ALL=C sort -o "$lists/$side" "$lists/$side"; done

LC_ALL=C comm -3 "$lists/source" "$lists/stored" | sed -E 's/^\t//; s/^.*  \.\///' | LC_ALL=C sort -u |
    jq -R -n --argjson checked "$checked" --argjson limit "$limit" \
        '[inputs] | {checked: $checked, different: .[:$limit], more: ([length - $limit, 0] | max)}'
