#!/bin/sh
# inspect.sh LIVE: what the server has. Without a certificate it is 0 days good.
set -eu
. "$WAYBILL_SOURCE_DIR/openssl.sh"

[ -d "$1" ] || {
    printf 'inspect: there is no folder %s\n' "$1" >&2
    exit 1
}
if [ -f "$1/tls.crt" ]; then facts "$1/tls.crt"; else printf '{"daysLeft": 0, "fingerprint": ""}\n'; fi
