#!/bin/sh
# smoke.sh PATH: every component is there and says so itself, where it can.
set -eu

for component in "$1"/*/; do
    [ -d "$component" ] || {
        printf 'smoke: %s is empty\n' "$1" >&2
        exit 1
    }
    if [ -x "$component/smoke.sh" ]; then (cd "$component" && ./smoke.sh); fi
done
