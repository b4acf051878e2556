#!/bin/sh
# timeline.sh DESTINATION RUN <facts.json: writes RUN.md for those who were not there.
set -eu

destination=$1
run=$2
mkdir -p "$destination"
aside=$destination/.$run
jq -r '
    def line(who): if . == null then empty
        else "| \(.at) | \(who): \(.value | if type == "string" then . else tojson end) (\(.source)) |" end;
    "# \(.service)", "", .summary, "",
    "| when | what |", "| --- | --- |",
    "| \(.startedAt) | \(.findings // "nothing was found out") |",
    (.first | line("first line")), (.second | line("second line")), (.resolution | line("resolved")),
    (if .error == null then empty else "| | failed: \(.error.message) |" end)' >"$aside"
mv -fT "$aside" "$destination/$run.md"
