#!/bin/sh
# archive.sh REPOSITORY COMMIT NAME: writes NAME.tar.gz here. The same commit gives the same bytes.
set -eu

repository=$1
commit=$2
name=$3

# Two commands and a file between them: in a pipe, a failure of git would be lost to sh.
git -C "$repository" archive --format=tar --prefix="$name/" "$commit" >"$name.tar"
entries=$(tar -tf "$name.tar" | grep -vc '/$' || true)
# -n leaves the name and the time out of the header, and with them all that differs from run to run.
gzip -9 -n -f "$name.tar"

jq -n --arg file "$name.tar.gz" --argjson size "$(wc -c <"$name.tar.gz")" --argjson entries "$entries" \
    '{file: $file, size: $size, entries: $entries}'
