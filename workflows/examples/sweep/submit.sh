#!/bin/sh
# submit.sh JOBS KEY <parameters.json: hands a job over and prints its handle. The same key is the same job.
set -eu

handle=$(printf '%.16s' "$2")
job=$1/$handle
if [ ! -d "$job" ]; then
    aside=$1/.$handle.$WAYBILL_ATTEMPT
    rm -rf "$aside"
    mkdir -p "$aside"
    jq . >"$aside/parameters.json"
    mv -T "$aside" "$job"
fi
printf '%s\n' "$handle"
