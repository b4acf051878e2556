#!/bin/sh
# Sourced by the others.
set -eu
command -v openssl >/dev/null || {
    printf 'certificate: the program openssl is missing\n' >&2
    exit 69
}

# facts CERTIFICATE: whole days until it ends (0 if it has), and what tells it from any other.
facts() {
    end=$(openssl x509 -in "$1" -noout -enddate)
    left=$((($(date -u -d "${end#notAfter=}" +%s) - $(date -u +%s)) / 86400))
    fingerprint=$(openssl x509 -in "$1" -noout -fingerprint -sha256)
    jq -n --argjson daysLeft "$((left > 0 ? left : 0))" --arg fingerprint "${fingerprint#*=}" \
        '{daysLeft: $daysLeft, fingerprint: $fingerprint}'
}
