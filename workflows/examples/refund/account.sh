#!/bin/sh
# account.sh ACCOUNTS NAME: one line of the file. Nobody is paid who is not in it.
set -eu

jq -n -c -e --arg account "$2" 'first(inputs | select(.account == $account))' "$1" || {
    printf 'account: there is no %s\n' "$2" >&2
    exit 1
}
