#!/bin/sh
# take-back.sh LEDGER ENTRY: a second line that takes the first one back, once. Nothing is ever removed.
set -eu

ledger=$1
exec 9>>"$ledger"
flock 9
if ! jq -n -e --arg entry "$2" 'any(inputs; .entry == $entry and .kind == "reversal")' "$ledger" >/dev/null; then
    reversal=$(jq -n -c --arg entry "$2" 'first(inputs | select(.entry == $entry)) | .kind = "reversal" | .cents = -.cents' "$ledger")
    printf '%s\n' "$reversal" >&9
    sync "$ledger"
fi
