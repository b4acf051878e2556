#!/bin/sh
# apply.sh DATABASE FROM: all migrations above FROM, in one transaction.
set -eu
. "$WAYBILL_SOURCE_DIR/sqlite.sh"

database=$1
from=$2
{
    printf 'BEGIN IMMEDIATE;\n'
    for file in "$WAYBILL_SOURCE_DIR"/migrations/*.sql; do
        number=$(number "$file")
        [ "$number" -gt "$from" ] || continue
        cat "$file"
        printf '\nPRAGMA user_version = %d;\n' "$number"
    done
    printf 'COMMIT;\n'
} >"$WAYBILL_OUTPUT.sql"
sql "$database" <"$WAYBILL_OUTPUT.sql"
jq -n --argjson version "$(sql -readonly "$database" 'PRAGMA user_version')" '{version: $version}'
