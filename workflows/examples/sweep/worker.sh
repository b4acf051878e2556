#!/bin/sh
# worker.sh JOBS: stands for the cluster. Trains every job that waits, and fails those with a rate above 1.
set -eu

for job in "$1"/*/; do
    [ -f "$job/parameters.json" ] && [ ! -e "$job/result.json" ] && [ ! -e "$job/failed" ] || continue
    [ ! -e "$job/cancelled" ] || continue
    handle=$(basename "$job")
    if jq -e '.rate > 1' "$job/parameters.json" >/dev/null; then
        printf 'the training diverged\n' >"$job/failed"
    else
        cp "$job/parameters.json" "$job/model.json"
        jq --arg model "$handle/model.json" '{model: $model, cost: (.depth * 0.5)}' "$job/parameters.json" >"$job/.result"
        mv "$job/.result" "$job/result.json"
    fi
done
