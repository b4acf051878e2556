#!/bin/sh
# pay-back.sh LEDGER KEY ACCOUNT CENTS REASON: enters a payment once, however often it is asked to.
set -eu

ledger=$1
entry=$(printf '%.20s' "$2")
mkdir -p "$(dirname "$ledger")"
exec 9>>"$ledger"
flock 9
if ! jq -n -e --arg entry "$entry" 'any(inputs; .entry == $entry and .kind == "refund")' "$ledger" >/dev/null; then
    jq -nc --arg entry "$entry" --arg account "$3" --argjson cents "$4" --arg reason "$5" \
        '{kind: "refund", entry: $entry, account: $account, cents: $cents, reason: $reason}' >&9
    sync "$ledger"
fi
# What the ledger says, not what was asked for.
jq -n -c --arg entry "$entry" 'first(inputs | select(.entry == $entry and .kind == "refund")) | {entry, cents}' "$ledger"
