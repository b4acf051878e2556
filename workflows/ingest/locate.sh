#!/bin/sh
# locate.sh FILE RULES DESTINATION: makes paths absolute, and refuses what cannot be read before anything starts.
set -eu

# A name that begins with a dash, or with no folder at all, must not be taken for an option or an assignment.
absolute() {
    case $1 in
    /*) printf '%s' "$1" ;;
    *) printf '%s/%s' "$PWD" "$1" ;;
    esac
}
file=$(absolute "$1")
rules=$(absolute "$2")
destination=$(absolute "$3")

[ -f "$file" ] && [ -r "$file" ] || {
    printf 'locate: %s is not a file that can be read\n' "$file" >&2
    exit 1
}
case $file in
*.csv | *.jsonl | *.ndjson) ;;
*)
    printf 'locate: %s is neither *.csv nor *.jsonl\n' "$file" >&2
    exit 1
    ;;
esac
jq -e '.columns | type == "object" and length > 0' "$rules" >/dev/null || {
    printf 'locate: %s names no columns\n' "$rules" >&2
    exit 1
}
name=${file##*/}
name=${name%.*}

jq -n --arg file "$file" --arg rules "$rules" --arg destination "$destination" --arg name "$name" \
    '{file: $file, rules: $rules, destination: $destination, name: $name}'
