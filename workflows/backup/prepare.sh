#!/bin/sh
# prepare.sh SOURCE DESTINATION: fixes the snapshot's name and its predecessor, and makes paths absolute.
set -eu

source=$(cd "$1" && pwd -P)
mkdir -p "$2"
destination=$(cd "$2" && pwd -P)
case $destination/ in
"$source"/*)
    printf 'prepare: %s lies inside %s: each backup would hold the ones before\n' "$destination" "$source" >&2
    exit 1
    ;;
esac

# Names sort by time; the key keeps two backups of one second apart, and is the same in every attempt.
name=$(date -u +%Y%m%dT%H%M%S.%3NZ)-$(printf '%.8s' "$WAYBILL_IDEMPOTENCY_KEY")
previous=
for snapshot in "$destination"/[0-9]*Z-*/; do
    if [ -d "$snapshot/data" ]; then previous=${snapshot%/}; fi
done

jq -n --arg source "$source" --arg destination "$destination" --arg name "$name" --arg previous "$previous" \
    '{source: $source, destination: $destination, name: $name, partial: "\($destination)/.partial-\($name)",
      previous: $previous}'
