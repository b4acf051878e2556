#!/bin/sh
# backup.sh DATABASE FOLDER RUN: a whole copy, also of a database that is in use; synced before it gets its name.
set -eu
. "$WAYBILL_SOURCE_DIR/sqlite.sh"

mkdir -p "$2"
folder=$(cd "$2" && pwd)
path=$folder/$3.db
aside=$folder/.$3.db
rm -f "$aside"
# The dot command reads no quotes of ours: the folder is entered, and a run id holds no blanks.
(cd "$folder" && sql -readonly "$1" ".backup main .$3.db")
[ "$(sql -readonly "$aside" 'PRAGMA integrity_check')" = ok ]
sync "$aside"
mv -fT "$aside" "$path"
jq -n --arg path "$path" '{path: $path}'
