#!/bin/sh
# deploy.sh STAGED LIVE: keeps what is live in STAGED/previous, then puts the new pair in its place. Safe to repeat.
set -eu

staged=$1
live=$2
if [ ! -d "$staged/previous" ]; then
    rm -rf "$staged/previous.tmp"
    mkdir "$staged/previous.tmp"
    for name in tls.key tls.crt; do
        if [ -f "$live/$name" ]; then cp -p "$live/$name" "$staged/previous.tmp/$name"; fi
    done
    sync "$staged/previous.tmp"
    mv -T "$staged/previous.tmp" "$staged/previous"
fi
for name in tls.key tls.crt; do
    cp -p "$staged/$name" "$live/.$name.new"
    sync "$live/.$name.new"
    mv -fT "$live/.$name.new" "$live/$name"
done
# The place to tell the server: systemctl reload, or a signal.
