#!/bin/sh
# demo.sh WAYBILL: releases this very repository, and loses the daemon on the way.
#
# It uses the repository's own tree, so that the run can be looked at afterwards: runs/ is ignored by git, and what is
# published goes to .build/releases. Whatever happens, the daemon it started is gone when it ends.
set -eu

waybill=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
run=demo-$(date -u +%Y%m%dT%H%M%S)-$$
folder=runs/$run
scratch=$(mktemp -d)
log=$scratch/daemon.log
daemon=

stop_daemon() {
    if [ -n "$daemon" ]; then
        kill "$1" "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
        daemon=
    fi
}
finish() {
    status=$?
    trap - EXIT
    stop_daemon -TERM
    if [ "$status" -ne 0 ] && [ -s "$log" ]; then
        printf '\nThe demo failed. The daemon said:\n' >&2
        tail -n 20 "$log" >&2
    fi
    rm -rf "$scratch"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
else
    bold='' dim='' plain=''
fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
# show COMMAND: prints a line as one would type it, then what it prints.
show() {
    printf '%s$ %s%s\n' "$dim" "$1" "$plain"
    eval "$1"
}
# until_true SECONDS WHAT COMMAND...: polls a condition, for a bounded time.
until_true() {
    limit=$(($(date +%s) + $1))
    what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ "$(date +%s)" -gt "$limit" ]; then
            printf 'demo: gave up waiting: %s\n' "$what" >&2
            exit 1
        fi
        sleep 0.1
    done
}
start_daemon() {
    : >"$log"
    "$waybill" -C "$root" daemon >>"$log" 2>&1 &
    daemon=$!
    # Until it attends, a command would drive the run itself.
    until_true 20 "the daemon to attend" grep -q attending "$log"
    printf '%s$ waybill daemon &%s   # process %s\n' "$dim" "$plain" "$daemon"
}
status_is() { [ "$(jq -r .status "$folder/run.json")" = "$1" ]; }
waybill() { "$waybill" "$@"; }

say "1. A daemon watches the tree. A run of workflows/release/release.yaml starts, on this repository."
start_daemon
show "waybill run release --input ref=HEAD --id $run"
until_true 30 "the question" test -e "$folder/waits/approve.json"
until_true 10 "the run to say that it waits" status_is waiting

say "2. It has built, checked and staged an archive. Now it waits for a person; this is all there is to it:"
show "ls $folder"
show "jq -c '{status, progress, waiting: [.waiting[].key]}' $folder/run.json"
show "jq -r .prompt $folder/waits/approve.json"
show "jq -r '[.seq, .type, .step // \"\"] | @tsv' $folder/ledger.jsonl | tail -n 4"

say "3. The daemon dies, with no chance to say goodbye. The run does not mind: it is a folder."
show "kill -KILL $daemon"
wait "$daemon" 2>/dev/null || true
daemon=
show "jq -c '{status, waiting: [.waiting[] | {key, until}]}' $folder/run.json"
start_daemon

say "4. The answer is a file."
show "echo '{\"approve\": true}' > $folder/inbox/.answer && mv $folder/inbox/.answer $folder/inbox/approve.json"
until_true 30 "the run to end" jq -e '.endedAt != null' "$folder/run.json"
status_is completed || {
    printf 'demo: the run ended otherwise:\n' >&2
    jq '{status, error}' "$folder/run.json" >&2
    exit 1
}

say "5. Done: no step ran twice, and what was published is what was approved."
show "waybill show $run"
show "jq .outputs $folder/run.json"
show "ls \"\$(jq -r .outputs.path $folder/run.json)\""
show "ls $folder/inbox/accepted"
twice=$(jq -r 'select(.type == "TASK_END") | .step' "$folder/ledger.jsonl" | sort | uniq -d)
if [ -n "$twice" ]; then
    printf 'demo: ended more than once: %s\n' "$twice" >&2
    exit 1
fi

say "6. Its history is a chain. Waybill checks it; so do sha256sum and jq, without Waybill."
show "waybill verify $run"
show "Tests/Scripts/audit.sh $folder"

say "The run stays in $folder: look around."
