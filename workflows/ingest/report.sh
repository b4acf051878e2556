#!/bin/sh
# report.sh DESTINATION NAME <facts.json: writes NAME.report.md for people, by one rename.
set -eu

destination=$1
name=$2
report=$destination/$name.report.md
aside=$destination/.$name.report.$WAYBILL_RUN_ID

jq -r --slurpfile rejected "$destination/$name.rejected.jsonl" '
    def cell: tostring | gsub("\\|"; "\\|") | gsub("\n"; " ");
    "# \(.source.name)", "",
    "| what | |", "| --- | --- |",
    "| run | `\(.run)` |",
    "| file | `\(.source.file | cell)` |",
    "| SHA-256 | `\(.result.sha256)` |",
    "| rows | \(.result.rows) |",
    "| loaded | \(.loaded.loaded) |",
    "| rejected | \(.loaded.rejected) (\(.result.percent)) |",
    "| corrected by hand | \([.corrections[].line] | unique | length) |",
    "| decisions | \(if .decisions == [] then "none was needed" else .decisions | join(", ") end) |",
    (if $rejected == [] then empty else
        "", "## Rejected", "", "| line | why |", "| --- | --- |",
        ($rejected[] | "| \(.line) | \(.reasons | join("; ") | cell) |") end)' >"$aside"
mv -fT "$aside" "$report"

jq -n --arg path "$report" '{path: $path}'
