#!/bin/sh
# withdraw.sh STAGED DESTINATION NAME RUN: removes a refused release and keeps a line about it, once.
set -eu

staged=$1
destination=$2
name=$3
run=$4
log=$destination/refused.jsonl

rm -rf "$staged"
rmdir "$destination/.staged" 2>/dev/null || true
# flock: refusals of several runs append to the same file.
exec 9>>"$log"
flock 9
if ! jq -n -e --arg run "$run" 'any(inputs; .run == $run)' "$log" >/dev/null; then
    jq -nc --arg name "$name" --arg run "$run" --arg at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
        '{name: $name, run: $run, refusedAt: $at}' >&9
    sync "$log"
fi
