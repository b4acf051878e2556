#!/bin/sh
# disks.sh: how full the file systems are, the fullest first.
set -eu

df -P -x tmpfs -x devtmpfs 2>/dev/null | awk 'NR > 1 { used = $5; sub(/%/, "", used); print used "\t" $6 }' | LC_ALL=C sort -rn |
    jq -n -R '[inputs | split("\t") | {percent: (.[0] | tonumber? // 0), mount: .[1]}]
        | {disks: ., fullest: (if . == [] then "none" else "\(.[0].mount) (\(.[0].percent) %)" end)}'
