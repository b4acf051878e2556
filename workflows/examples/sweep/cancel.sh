#!/bin/sh
# cancel.sh JOBS HANDLE: a job that is not needed any more costs no more.
set -eu

if [ -d "$1/$2" ]; then : >"$1/$2/cancelled"; fi
