#!/bin/sh
# score.sh JOBS MODEL: the loss of a model on data that it has not seen. Here: a parabola with its lowest point at 0.01.
set -eu

jq '{loss: (((.rate | log10) + 2) * ((.rate | log10) + 2) + 1 / .depth)}' "$1/$2"
