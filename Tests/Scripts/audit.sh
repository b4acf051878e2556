#!/bin/sh
# audit.sh RUN_FOLDER: checks a run with nothing of Waybill in it, sha256sum and jq alone. Exits 1 at the first flaw.
set -eu

# The README shows this function as it stands here.
audit() ( # audit RUN_FOLDER
    cd "$1"
    [ -z "$(tail -c 1 ledger.jsonl)" ] || { echo "the last line is not whole"; exit 1; }
    head=$(sha256sum <definition/index.json | cut -c 1-64)
    while IFS= read -r entry; do
        [ "$(printf '%s' "$entry" | jq -r .prev)" = "$head" ] ||
            { printf '%s' "$entry" | jq -r '"entry \(.seq) does not follow from the one before"'; exit 1; }
        head=$(printf '%s' "$entry" | sha256sum | cut -c 1-64)
    done <ledger.jsonl
    [ "$(jq -r .ledger.head run.json)" = "$head" ] || { echo "the ledger ends before its head"; exit 1; }
    jq -r '.files[] | "\(.sha256)  definition/\(.path)"' definition/index.json | sha256sum -c --quiet
    echo "$(wc -l <ledger.jsonl) entries, head $head"
)

audit "$1"
