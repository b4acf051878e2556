#!/bin/sh
# check.sh DOCUMENT WORDS: counts, and complaints that need no reader. A document with complaints is no failure.
set -eu

document=$1
most=$2
[ -f "$document" ] && [ -r "$document" ] || {
    printf 'check: %s is not a file that can be read\n' "$document" >&2
    exit 1
}
case $document in
/*) ;;
*) document=$PWD/$document ;;
esac
sum=$(sha256sum <"$document")
words=$(wc -w <"$document")
{
    if [ "$words" -eq 0 ]; then printf 'it is empty\n'; fi
    if [ "$words" -gt "$most" ]; then printf '%d words are more than %d\n' "$words" "$most"; fi
    awk '/T(ODO|BD)|FIX(ME)/ { print "line " NR " is unfinished" }' "$document"
} | jq -n -R --arg sha256 "${sum%% *}" --argjson words "$words" '{sha256: $sha256, words: $words, complaints: [inputs]}'
