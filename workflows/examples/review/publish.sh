#!/bin/sh
# publish.sh DOCUMENT DESTINATION SHA256: copies the version that was read, and refuses any other.
set -eu

document=$1
destination=$2
wanted=$3
mkdir -p "$destination"
destination=$(cd "$destination" && pwd)
name=${document##*/}
aside=$destination/.$name.$WAYBILL_RUN_ID
case $document in
/*) ;;
*) document=$PWD/$document ;;
esac
cp "$document" "$aside"
sum=$(sha256sum <"$aside")
if [ "${sum%% *}" != "$wanted" ]; then
    rm -f "$aside"
    printf 'publish: %s changed after it was read\n' "$document" >&2
    exit 1
fi
mv -fT "$aside" "$destination/$name"
jq -n --arg path "$destination/$name" '{path: $path}'
