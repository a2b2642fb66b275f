#!/usr/bin/env bash
# The licence of every module that ships or runs here, as go-licenses reads them; one that is not among the allowed ones
# fails. What ships is what the functions link.
set -euo pipefail
cd "$(dirname "$0")/.."
allowed=Apache-2.0,BSD-2-Clause,BSD-3-Clause,ISC,MIT,MPL-2.0
own=github.com/scenario-archive/scenario-archive
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -C ci -o "$work/" github.com/google/go-licenses/v2
licences() { "$work"/go-licenses* "$@" --ignore "$own" 2> "$work/errors"; }

root=$PWD
for of in '. ./functions/...' 'local ./...'; do
  read -r module packages <<<"$of"
  echo "--- $module $packages"
  cd "$root/$module"
  licences check "$packages" --allowed_licenses="$allowed" || { cat "$work/errors" >&2; exit 1; }
  licences report "$packages" | awk -F, '{ n[$3]++ } END { for (l in n) printf "%4d %s\n", n[l], l }' | sort -rn
done
echo "every licence is one of $allowed"
