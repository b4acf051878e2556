#!/bin/sh
# stage.sh ROOT DESTINATION NAME ARCHIVE <manifest.json: lays a release out beside the published ones, hidden.
# Doing it again replaces what an earlier attempt left.
set -eu
# What gets published is meant to be read by others.
umask 022

root=$1
destination=$2
name=$3
archive=$4
case $archive in
/*) ;;
*) archive=$root/$archive ;;
esac

staged=$destination/.staged/$name.$WAYBILL_RUN_ID
rm -rf "$staged"
mkdir -p "$staged"
jq . >"$staged/manifest.json"
cp "$archive" "$staged/$name.tar.gz"
chmod 644 "$staged/$name.tar.gz"
(cd "$staged" && sha256sum "$name.tar.gz" manifest.json >SHA256SUMS)
sync "$staged"/* "$staged"

jq -n --arg folder "$staged" '{folder: $folder}'
