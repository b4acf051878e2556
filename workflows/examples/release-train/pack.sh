#!/bin/sh
# pack.sh SOURCES COMPONENT VERSION BUILDS: BUILDS/COMPONENT-VERSION.tar.gz, the same bytes for the same files.
set -eu

mkdir -p "$4"
builds=$(cd "$4" && pwd)
file=$builds/$2-$3.tar.gz
aside=$builds/.$2-$3.$WAYBILL_RUN_ID
tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$aside.tar" -- "$2"
gzip -9 -n -f "$aside.tar"
mv -fT "$aside.tar.gz" "$file"
sum=$(sha256sum <"$file")
jq -n --arg file "$file" --arg sha256 "${sum%% *}" '{file: $file, sha256: $sha256}'
