#!/bin/sh
# discard.sh PARTIAL: removes a snapshot that never became one.
set -eu

case ${1##*/} in
.partial-*)
    if [ -d "$1" ]; then
        # A folder that was read-only in the source is so here, and keeps its owner from emptying it.
        find "$1" -type d ! -perm -u=rwx -exec chmod u+rwx {} +
        rm -rf "$1"
    fi
    ;;
*)
    printf 'discard: "%s" is not a partial snapshot\n' "$1" >&2
    exit 1
    ;;
esac
