#!/bin/sh
# report.sh DESTINATION <summary.json: writes report.md for people, by one rename.
set -eu

destination=$1
mkdir -p "$destination"
aside=$destination/.report.$WAYBILL_RUN_ID
jq -r '
    "| file | rows | cents |", "| --- | --- | --- |",
    (.loaded[] | "| \(.name) | \(.rows) | \(.cents) |"),
    (.skipped[] | "| \(.) | skipped | |"),
    (.failed[] | "| \(.) | failed again | |")' >"$aside"
mv -fT "$aside" "$destination/report.md"
jq -n --arg path "$destination/report.md" '{path: $path}'
