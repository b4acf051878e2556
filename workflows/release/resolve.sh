#!/bin/sh
# resolve.sh REPOSITORY REF PROJECT DESTINATION: pins a name to a commit, and relative paths to absolute ones.
set -eu

repository=$(cd "$1" && pwd)
ref=$2
project=$3
case $4 in
/*) destination=$4 ;;
*) destination=$PWD/$4 ;;
esac

# --end-of-options: a ref that begins with a dash is a name, never an option.
commit=$(git -C "$repository" rev-parse --verify --quiet --end-of-options "$ref^{commit}") || {
    printf 'resolve: "%s" names no commit of %s\n' "$ref" "$repository" >&2
    exit 1
}
version=$(git -C "$repository" describe --tags --always --abbrev=12 "$commit" | tr '/' '-')
committed=$(git -C "$repository" show --no-patch --format=%cI "$commit")

jq -n --arg name "$project-$version" --arg version "$version" --arg commit "$commit" \
    --arg committedAt "$committed" --arg root "$PWD" --arg repository "$repository" --arg destination "$destination" \
    '{name: $name, version: $version, commit: $commit, committedAt: $committedAt,
      root: $root, repository: $repository, destination: $destination}'
