#!/bin/sh
# check.sh DATABASE BACKUP: damaged pages, references into nothing, and tables that had rows and have none.
set -eu
. "$WAYBILL_SOURCE_DIR/sqlite.sh"

tables() {
    sql -readonly "$1" "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
}
# Whether a table has rows: 0 or 1. Names are quoted as SQL does it.
filled() {
    sql -readonly "$1" "SELECT EXISTS (SELECT 1 FROM \"$(printf '%s' "$2" | sed 's/"/""/g')\")"
}

integrity=$(sql -readonly "$1" 'PRAGMA integrity_check(1)')
orphans=$(sql -readonly "$1" 'SELECT count(*) FROM pragma_foreign_key_check')
tables "$1" >"$WAYBILL_OUTPUT.now"
tables "$2" | while IFS= read -r table; do
    grep -qxF -e "$table" "$WAYBILL_OUTPUT.now" || continue
    if [ "$(filled "$2" "$table")" = 1 ] && [ "$(filled "$1" "$table")" = 0 ]; then printf '%s\n' "$table"; fi
done >"$WAYBILL_OUTPUT.emptied"
jq -n -R --arg integrity "$integrity" --argjson orphans "$orphans" \
    '{integrity: $integrity, orphans: $orphans, emptied: [inputs]}' "$WAYBILL_OUTPUT.emptied"
