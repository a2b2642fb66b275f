#!/usr/bin/env bash
# gofmt, go vet, staticcheck and govulncheck on the modules given.
set -euo pipefail
tools=$PWD/tools/go.mod

unformatted=$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)
[ -z "$unformatted" ] || { printf 'gofmt -w is needed:\n%s\n' "$unformatted" >&2; exit 1; }

# CONTRIBUTING.md has a row with a reason for each module that go.mod requires directly, and no other.
required=$(go list -m -f '{{if not (or .Indirect .Main)}}{{.Path}}{{end}}' all | grep . | sort)
explained=$(sed -n 's/^| `\([a-z]*\.[a-z]*\/[^`]*\)` | ..*/\1/p' CONTRIBUTING.md | sort)
diff <(echo "$required") <(echo "$explained") || { echo "go.mod (<) and CONTRIBUTING.md's table of modules (>) differ" >&2; exit 1; }

# govulncheck needs a database of known vulnerabilities: the public one, or the one that GOVULNDB names. Where it
# cannot be reached that is said, loudly, and is no finding; every other failure is one.
vulnerabilities() {
  local out
  if out=$(go tool -modfile="$tools" govulncheck ${GOVULNDB:+-db "$GOVULNDB"} ./... 2>&1); then
    printf '%s\n' "$out"
  elif grep -q 'fetching vulnerabilities:.*\(dial tcp\|no such host\)' <<<"$out"; then
    printf 'NOT CHECKED for known vulnerabilities in %s: the database cannot be reached (%s)\n' "$PWD" "${out##*: }" >&2
  else
    printf '%s\n' "$out" >&2
    return 1
  fi
}

for module in "$@"; do
  echo "lint $module"
  (
    cd "$module"
    go vet ./...
    go tool -modfile="$tools" staticcheck ./...
    vulnerabilities
  )
done
echo "lint: clean"
