#!/bin/sh
# restore.sh DATABASE BACKUP: the content of the backup, in the place of what is there, also while others read.
set -eu
. "$WAYBILL_SOURCE_DIR/sqlite.sh"

# Into the folder, for the reason that backup.sh gives.
cd "$(dirname "$2")"
sql "$1" ".restore main $(basename "$2")"
