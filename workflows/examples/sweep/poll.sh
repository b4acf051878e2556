#!/bin/sh
# poll.sh JOBS HANDLE: 0 and the result if the job is done, 75 while it goes on, 1 if it failed.
set -eu

job=$1/$2
if [ -f "$job/result.json" ]; then
    cat "$job/result.json"
elif [ -f "$job/failed" ]; then
    cat "$job/failed" >&2
    exit 1
elif [ -d "$job" ]; then
    exit 75
else
    printf 'poll: there is no job %s\n' "$2" >&2
    exit 1
fi
