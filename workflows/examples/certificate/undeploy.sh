#!/bin/sh
# undeploy.sh STAGED LIVE: puts the pair back that was live before. Nothing was touched without `previous`.
set -eu

[ -d "$1/previous" ] || exit 0
for name in tls.key tls.crt; do
    if [ -f "$1/previous/$name" ]; then
        cp -p "$1/previous/$name" "$2/.$name.old"
        mv -fT "$2/.$name.old" "$2/$name"
    else
        rm -f "$2/$name"
    fi
done
