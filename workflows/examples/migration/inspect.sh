#!/bin/sh
# inspect.sh DATABASE: how far it is, and what is pending.
set -eu
. "$WAYBILL_SOURCE_DIR/sqlite.sh"

case $1 in
/*) database=$1 ;;
*) database=$PWD/$1 ;;
esac
# sqlite3 would make an empty database of a name that is mistyped.
[ -f "$database" ] || {
    printf 'inspect: there is no database %s\n' "$database" >&2
    exit 1
}

version=$(sql -readonly "$database" 'PRAGMA user_version')
target=$version
pending='[]'
for file in "$WAYBILL_SOURCE_DIR"/migrations/*.sql; do
    number=$(number "$file")
    if [ "$number" -gt "$version" ]; then
        pending=$(jq -nc --argjson pending "$pending" --arg file "${file##*/}" '$pending + [$file]')
        target=$number
    fi
done
jq -n --arg database "$database" --argjson version "$version" --argjson target "$target" --argjson pending "$pending" \
    '{database: $database, version: $version, target: $target, pending: $pending}'
