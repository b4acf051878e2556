#!/bin/sh
# route.sh begin|shift|withdraw|promote FILE SERVICE VERSION [SHARE]: who gets which traffic, in a JSON file:
# {"checkout": {"stable": "v2.3.0", "canary": "v2.4.0", "share": 10}}. Every verb may be repeated.
set -eu

verb=$1
file=$2
service=$3
version=$4
share=${5:-0}

mkdir -p "$(dirname "$file")"
# Canaries of other services share the file.
exec 9>>"$file.lock"
flock 9
[ -s "$file" ] || printf '{}\n' >"$file"

aside=$file.$WAYBILL_RUN_ID
jq --arg verb "$verb" --arg service "$service" --arg version "$version" --argjson share "$share" '
    .[$service] |= (. // {stable: null, canary: null, share: 0}
        | if $verb == "begin" then .canary = $version | .share = 0
          elif $verb == "shift" then
              if .canary == $version then .share = $share
              else error("the canary of \($service) is \(.canary), not \($version)") end
          elif $verb == "promote" then .stable = $version | .canary = null | .share = 0
          elif $verb == "withdraw" then if .canary == $version then .canary = null | .share = 0 else . end
          else error("no such verb: \($verb)") end)' "$file" >"$aside"
mv -fT "$aside" "$file"
jq -c --arg service "$service" '.[$service]' "$file"
