#!/bin/sh
# checksums.sh ROOT ARCHIVE FILE: the archive's SHA-256, computed by a program that is not Waybill.
set -eu

root=$1
archive=$2
file=$3
case $archive in
/*) ;;
*) archive=$root/$archive ;;
esac

gzip -t <"$archive"
sum=$(sha256sum <"$archive")
jq -n --arg file "$file" --arg sha256 "${sum%% *}" '{file: $file, sha256: $sha256}'
