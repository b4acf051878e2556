#!/bin/sh
# store.sh FILE DESTINATION NAME SHA256: stores a file that was checked, and no other.
set -eu

file=$1
destination=$2
name=$3
wanted=$4

mkdir -p "$destination"
aside=$destination/.$name.$WAYBILL_RUN_ID
cp "$file" "$aside"
sum=$(sha256sum <"$aside")
if [ "${sum%% *}" != "$wanted" ]; then
    rm -f "$aside"
    printf 'store: %s changed after it was checked\n' "$file" >&2
    exit 1
fi
sync "$aside"
mv -fT "$aside" "$destination/$name.csv"
