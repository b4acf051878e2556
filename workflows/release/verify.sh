#!/bin/sh
# verify.sh PUBLISHED: reads a published release back and compares every file with its checksum.
set -eu

cd "$1"
sha256sum --strict -c SHA256SUMS
