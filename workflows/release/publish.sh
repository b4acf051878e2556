#!/bin/sh
# publish.sh STAGED DESTINATION NAME: makes a staged release visible, whole, by one rename; moves `latest` to it.
# Doing it again is harmless; a different release under the same name is refused and left as it is.
set -eu

staged=$1
destination=$2
name=$3
published=$destination/$name

if [ -d "$published" ]; then
    if [ -d "$staged" ] && ! cmp -s "$staged/SHA256SUMS" "$published/SHA256SUMS"; then
        printf 'publish: %s exists and holds something else\n' "$published" >&2
        exit 1
    fi
    rm -rf "$staged"
else
    # -T: should the name appear meanwhile, mv fails or replaces an empty folder; it never moves into it.
    mv -T "$staged" "$published"
    sync "$destination"
fi

link=$destination/.latest.$WAYBILL_RUN_ID
ln -sfn "$name" "$link"
mv -fT "$link" "$destination/latest"
rmdir "$destination/.staged" 2>/dev/null || true

jq -n --arg path "$published" '{path: $path}'
