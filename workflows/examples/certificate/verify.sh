#!/bin/sh
# verify.sh STAGED AUTHORITY DOMAIN: the authority signed it, for that name, and it belongs to the key beside it.
set -eu
. "$WAYBILL_SOURCE_DIR/openssl.sh"

openssl verify -CAfile "$2/ca.crt" -verify_hostname "$3" "$1/tls.crt" >&2
[ "$(openssl x509 -in "$1/tls.crt" -noout -pubkey)" = "$(openssl pkey -in "$1/tls.key" -pubout)" ] || {
    printf 'verify: key and certificate do not belong together\n' >&2
    exit 1
}
facts "$1/tls.crt"
