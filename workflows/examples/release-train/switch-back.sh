#!/bin/sh
# switch-back.sh STAGES STAGE VERSION PREVIOUS: `current` is again what it was; without a predecessor there is none.
set -eu

stage=$1/$2
if [ "$4" = "$3" ]; then exit 0; fi
if [ -n "$4" ]; then
    ln -sfn "$4" "$stage/.current.$WAYBILL_RUN_ID"
    mv -fT "$stage/.current.$WAYBILL_RUN_ID" "$stage/current"
else
    rm -f "$stage/current"
fi
rm -rf "$stage/.$3.$WAYBILL_RUN_ID"
rm -rf "${stage:?}/$3"
