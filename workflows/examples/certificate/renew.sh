#!/bin/sh
# renew.sh DOMAIN AUTHORITY LIVE DAYS: a new key and a certificate for it, in a hidden folder beside the live ones.
set -eu
. "$WAYBILL_SOURCE_DIR/openssl.sh"
umask 077

domain=$1
authority=$2
days=$4
live=$(cd "$3" && pwd)
staged=$live/.staged.$WAYBILL_RUN_ID
# An attempt that was interrupted left something that nobody knows: start over.
rm -rf "$staged"
mkdir "$staged"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$staged/tls.key" 2>/dev/null
openssl req -new -key "$staged/tls.key" -subj "/CN=$domain" -out "$staged/request"
printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\n' "$domain" >"$staged/extensions"
openssl x509 -req -in "$staged/request" -CA "$authority/ca.crt" -CAkey "$authority/ca.key" -days "$days" \
    -set_serial "0x$(openssl rand -hex 16)" -extfile "$staged/extensions" -out "$staged/tls.crt" 2>/dev/null
rm "$staged/request" "$staged/extensions"
sync "$staged"/*
jq -n --arg staged "$staged" '{staged: $staged}'
