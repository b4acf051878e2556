#!/bin/sh
# load.sh FILE RULES DESTINATION NAME SHA256 <corrections.json: puts the good rows, and the rejected ones with
# their reasons, into the destination, each by one rename. Doing it again writes the same files.
set -eu
. "$WAYBILL_SOURCE_DIR/rows.sh"

file=$1
rules=$2
destination=$3
name=$4
expected=$5

cat >corrections.json
# A copy, so that what is compared is what is read.
case $file in
*.csv) copy=rows.csv ;;
*) copy=rows.jsonl ;;
esac
cp "$file" "$copy"
if [ "$(sha256 "$copy")" != "$expected" ]; then
    printf 'load: %s has changed since it was checked\n' "$file" >&2
    exit 1
fi
judge "$copy" "$rules" corrections.json

mkdir -p "$destination"
place() {
    aside=$destination/.$2.$WAYBILL_RUN_ID
    cp "$1" "$aside"
    sync "$aside"
    mv -fT "$aside" "$destination/$2"
}
place bad.jsonl "$name.rejected.jsonl"
place good.jsonl "$name.jsonl"
sync "$destination"

jq -n --argjson loaded "$(wc -l <good.jsonl)" --argjson rejected "$(wc -l <bad.jsonl)" \
    --arg path "$destination/$name.jsonl" --arg rejects "$destination/$name.rejected.jsonl" \
    '{loaded: $loaded, rejected: $rejected, path: $path, rejects: $rejects}'
