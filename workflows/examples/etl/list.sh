#!/bin/sh
# list.sh FOLDER DESTINATION: the CSV files of a folder, sorted by name, and absolute paths.
set -eu

folder=$(cd "$1" && pwd)
case $2 in
/*) destination=$2 ;;
*) destination=$PWD/$2 ;;
esac

for path in "$folder"/*.csv; do
    # Without any file the pattern stands for itself; a name that is a link or a folder is not ours to read.
    [ -f "$path" ] && [ ! -L "$path" ] || continue
    jq -n --arg path "$path" '{name: ($path | split("/") | last | rtrimstr(".csv")), path: $path}'
done | jq -s --arg destination "$destination" '{destination: $destination, files: .}'
