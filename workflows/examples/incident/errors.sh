#!/bin/sh
# errors.sh LOG LINES: how many lines of a log speak of an error, and the last ones of them.
set -eu

[ -r "$1" ] || {
    printf 'errors: %s cannot be read\n' "$1" >&2
    exit 1
}
grep -i -E 'error|fatal|panic' -- "$1" | jq -n -R --argjson lines "$2" '[inputs] | {count: length, last: .[-$lines:]}'
