#!/bin/sh
# seal.sh PARTIAL DESTINATION NAME: gives a compared snapshot its name, by one rename; moves `latest` to it.
# Doing it again is harmless.
set -eu

partial=$1
destination=$2
name=$3

if [ ! -d "$destination/$name" ]; then
    sync -f "$partial"
    mv -T "$partial" "$destination/$name"
    sync "$destination"
fi
link=$destination/.latest-$name
ln -sfn "$name" "$link"
mv -fT "$link" "$destination/latest"

jq -n --arg path "$destination/$name" '{path: $path}'
