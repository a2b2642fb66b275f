#!/usr/bin/env bash
# The licence of every module that ships or runs here, as go-licenses reads them; one that is not among the allowed ones
# fails.
set -euo pipefail
cd "$(dirname "$0")/.."
allowed=Apache-2.0,BSD-2-Clause,BSD-3-Clause,ISC,MIT,MPL-2.0
own=github.com/scenario-archive/scenario-archive

licences() { go tool -modfile="$root/ci/go.mod" go-licenses "$@" --ignore "$own" 2> "$errors"; }

root=$PWD
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
for module in . local; do
  echo "--- $module"
  cd "$root/$module"
  licences check ./... --allowed_licenses="$allowed" || { cat "$errors" >&2; exit 1; }
  licences report ./... | awk -F, '{ n[$3]++ } END { for (l in n) printf "%4d %s\n", n[l], l }' | sort -rn
done
echo "every licence is one of $allowed"
