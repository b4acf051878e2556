#!/bin/sh
# check.sh SOURCES COMPONENT: runs the component's own test, if it has one.
set -eu

cd "$1/$2"
if [ -x ./test.sh ]; then ./test.sh; fi
