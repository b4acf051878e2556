#!/bin/sh
# current.sh STAGES STAGE: the version that a stage has; nothing if it has none.
set -eu

if [ -L "$1/$2/current" ]; then readlink "$1/$2/current"; fi
