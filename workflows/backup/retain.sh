#!/bin/sh
# retain.sh DESTINATION KEEP NAME: keeps the newest KEEP snapshots, and NAME whatever its age; removes the others.
set -eu

destination=$1
keep=$2
name=$3

cd "$destination"
# Only what this workflow names: another folder in the destination is nobody's to delete.
snapshots=$(find . -mindepth 1 -maxdepth 1 -type d -name '[0-9]*T[0-9]*Z-*' -printf '%P\n' | LC_ALL=C sort -r)
doomed=$(printf '%s\n' "$snapshots" | tail -n "+$((keep + 1))" | grep -vxF -e "$name" || true)

printf '%s\n' "$doomed" | while IFS= read -r snapshot; do
    [ -n "$snapshot" ] || continue
    # Renamed first: half a snapshot must not be taken for one.
    mv -T "$snapshot" ".removing-$snapshot"
done
# A week is longer than any backup that is still at work: older partial ones are what a lost run left behind.
find . -mindepth 1 -maxdepth 1 -type d \( -name '.removing-*' -o -name '.partial-*' -mtime +7 \) -print |
    while IFS= read -r folder; do
        # A folder that was read-only in the source is so here, and keeps its owner from emptying it.
        find "$folder" -type d ! -perm -u=rwx -exec chmod u+rwx {} +
        rm -rf "$folder"
    done

jq -n --arg all "$snapshots" --arg doomed "$doomed" \
    '($doomed / "\n" | map(select(. != ""))) as $removed
     | {kept: (($all / "\n" | map(select(. != ""))) - $removed), removed: $removed}'
