#!/bin/sh
# load.sh: the load of this machine over one, five and fifteen minutes.
set -eu

jq -n -R 'input | split(" ") | {one: .[0], five: .[1], fifteen: .[2], processes: .[3]}' </proc/loadavg
