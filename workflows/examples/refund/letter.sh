#!/bin/sh
# letter.sh FOLDER RUN <facts.json: tells the customer.
set -eu

mkdir -p "$1"
jq -r '"To \(.account): we paid you \(.cents / 100) back (\(.reason)). Entry \(.entry)."' >"$1/.$2"
mv -fT "$1/.$2" "$1/$2.txt"
