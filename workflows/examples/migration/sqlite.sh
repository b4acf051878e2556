#!/bin/sh
# Sourced by the others: `sql DATABASE [ARGUMENT...]` stops at the first error and waits for who else writes.
set -eu
command -v sqlite3 >/dev/null || {
    printf 'migration: the program sqlite3 is missing\n' >&2
    exit 69
}

sql() {
    sqlite3 -batch -bail -cmd '.timeout 30000' "$@"
}

# The number that a migration's file begins with, without leading zeros.
number() {
    name=${1##*/}
    printf '%s' "${name%%-*}" | sed 's/^0*\([0-9]\)/\1/'
}
