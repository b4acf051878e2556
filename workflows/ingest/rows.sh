#!/bin/sh
# Sourced by check.sh and load.sh.
set -eu

# judge FILE RULES CORRECTIONS: writes good.jsonl (rows, typed) and bad.jsonl ({line, row, reasons}) here.
# CORRECTIONS is a file with a list of {line, row}; a later one for the same line wins.
judge() {
    case $1 in
    *.csv)
        awk -f "$WAYBILL_SOURCE_DIR/csv.awk" <"$1" >rows.text
        jq -n -R -s -c --arg format csv --slurpfile rules "$2" --slurpfile corrections "$3" \
            -f "$WAYBILL_SOURCE_DIR/rows.jq" rows.text >judged.jsonl
        rm rows.text
        ;;
    *)
        jq -n -R -c --arg format jsonl --slurpfile rules "$2" --slurpfile corrections "$3" \
            -f "$WAYBILL_SOURCE_DIR/rows.jq" "$1" >judged.jsonl
        ;;
    esac
    jq -c 'select(.reasons == []) | .row' judged.jsonl >good.jsonl
    jq -c 'select(.reasons != [])' judged.jsonl >bad.jsonl
    rm judged.jsonl
}

sha256() {
    sum=$(sha256sum <"$1")
    printf '%s' "${sum%% *}"
}
