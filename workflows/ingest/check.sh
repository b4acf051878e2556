#!/bin/sh
# check.sh FILE RULES SAMPLES <corrections.json: judges every row, counts, and shows the first bad ones.
set -eu
. "$WAYBILL_SOURCE_DIR/rows.sh"

file=$1
rules=$2
samples=$3

cat >corrections.json
# Before the rows are read: if the file changes meanwhile, the digest is the old one, and loading will refuse it.
sha256=$(sha256 "$file")
judge "$file" "$rules" corrections.json

jq -n --argjson good "$(wc -l <good.jsonl)" --argjson bad "$(wc -l <bad.jsonl)" --argjson samples "$samples" \
    --arg sha256 "$sha256" --slurpfile first bad.jsonl \
    '($good + $bad) as $rows
     | (if $rows == 0 then 0 else $bad / $rows end) as $rate
     | {rows: $rows, bad: $bad, errorRate: $rate, percent: "\(($rate * 1000 | round) / 10) %", sha256: $sha256,
        sample: ($first[:$samples] | map("line \(.line): \(.reasons | join("; "))") | join("\n"))}'
