#!/bin/sh
# check.sh FILE COLUMNS: reads a whole CSV file; `problem` says what is wrong with the first bad row, if there is one.
set -eu

sum=$(sha256sum <"$1")
totals=$(awk -f "$WAYBILL_SOURCE_DIR/check.awk" -v columns="$2" <"$1")
jq -n --argjson totals "$totals" --arg sha256 "${sum%% *}" '$totals + {sha256: $sha256}'
