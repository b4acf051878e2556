#!/bin/sh
# switch.sh STAGES STAGE VERSION <packages.json: unpacks what was built, and no other bytes, then moves `current`.
set -eu

mkdir -p "$1/$2"
stage=$(cd "$1/$2" && pwd)
version=$3
unpacked=$stage/.$version.$WAYBILL_RUN_ID
rm -rf "$unpacked"
mkdir "$unpacked"
jq -r '.[] | [.sha256, .file] | @tsv' >"$WAYBILL_OUTPUT.packages"
while IFS="$(printf '\t')" read -r sha256 file; do
    printf '%s  %s\n' "$sha256" "$file" | sha256sum --strict --status -c || {
        printf 'switch: %s is not what was built\n' "$file" >&2
        exit 1
    }
    tar -C "$unpacked" -xzf "$file"
done <"$WAYBILL_OUTPUT.packages"
rm -rf "${stage:?}/$version"
mv -T "$unpacked" "$stage/$version"
ln -sfn "$version" "$stage/.current.$WAYBILL_RUN_ID"
mv -fT "$stage/.current.$WAYBILL_RUN_ID" "$stage/current"
jq -n --arg path "$stage/$version" '{path: $path}'
