#!/usr/bin/env bash
# gofmt, go vet, staticcheck and govulncheck on the modules given, and the project's own rules.
set -euo pipefail
own=github.com/scenario-archive/scenario-archive
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
fail() { echo "$*" >&2; exit 1; }

unformatted=$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)
[ -z "$unformatted" ] || fail "gofmt -w is needed: $unformatted"

# CONTRIBUTING.md has a row with a reason for each module that go.mod requires directly, and no other.
required=$(go list -m -f '{{if not (or .Indirect .Main)}}{{.Path}}{{end}}' all | grep . | sort)
explained=$(sed -n 's/^| `\([a-z]*\.[a-z]*\/[^`]*\)` | ..*/\1/p' CONTRIBUTING.md | sort)
diff <(echo "$required") <(echo "$explained") || fail "go.mod (<) and CONTRIBUTING.md's table of modules (>) differ"

# Imports point down. What ships, and the client that anybody may use, link nothing of the emulator; the client needs
# the standard library alone; nothing imports a function.
shipped=$(go list -deps ./functions/... ./scenario/... | grep "^$own/internal/emulator" || true)
[ -z "$shipped" ] || fail "functions or scenario link the emulator: $shipped"
foreign=$(go list -deps -f '{{if not .Standard}}{{.ImportPath}}{{end}}' ./scenario/... | grep -v "^$own/scenario" | grep . || true)
[ -z "$foreign" ] || fail "scenario needs more than the standard library: $foreign"
upward=$(go list -f '{{$p := .ImportPath}}{{range .Imports}}{{$p}} imports {{.}}{{"\n"}}{{end}}' ./... |
  grep " imports $own/functions/" || true)
[ -z "$upward" ] || fail "$upward"

# Every package is in a row of docs/architecture.md's table of rooms, and imports only what is in its row or below.
upward=$(
  {
    sed -n '/^## Rooms/,/^## Where/s/^| \(`[^|]*\)|.*/\1/p' docs/architecture.md
    echo --
    go list -f '{{$p := .ImportPath}}{{$p}}{{"\n"}}{{range .Imports}}{{$p}} {{.}}{{"\n"}}{{end}}' ./... | grep -v '/testdata/'
  } | awk -v own="$own/" '
    function row(package,  room) { # of the longest room that the package is in
      for (room = package; room != "" && !(room in rows); ) if (!sub("/[^/]*$", "", room)) room = ""
      return room == "" ? 0 : rows[room]
    }
    $0 == "--" { rooms = 1; next }
    !rooms { n = split($0, parts, "`"); for (i = 2; i <= n; i += 2) { r = parts[i]; sub("/[*]$", "", r); rows[r] = rows["internal/" r] = NR }; next }
    { gsub(own, "") }
    NF == 1 && !row($1) { print $1 " is in no room of docs/architecture.md" }
    NF == 2 && $2 !~ /[.]/ && row($2) && row($1) > row($2) { print $1 " imports " $2 ", which is above it in docs/architecture.md" }'
)
[ -z "$upward" ] || fail "$upward"

git ls-files -co --exclude-standard '*.go' | sed "s#^#$PWD/#" | xargs go run -C ci ./size

# govulncheck needs a database of known vulnerabilities: the public one, or the one that GOVULNDB names. Where it
# cannot be reached that is said, loudly, and is no finding; every other failure is one.
vulnerabilities() {
  local out
  if out=$("$tools/govulncheck" ${GOVULNDB:+-db "$GOVULNDB"} ./... 2>&1); then
    printf '%s\n' "$out"
  elif grep -q 'fetching vulnerabilities:.*\(dial tcp\|no such host\)' <<<"$out"; then
    printf 'NOT CHECKED for known vulnerabilities in %s: the database cannot be reached (%s)\n' "$PWD" "${out##*: }" >&2
  else
    printf '%s\n' "$out" >&2
    return 1
  fi
}

go build -C ci -o "$tools/" honnef.co/go/tools/cmd/staticcheck golang.org/x/vuln/cmd/govulncheck
for module in "$@"; do
  echo "lint $module"
  (
    cd "$module"
    go vet ./...
    "$tools/staticcheck" ./...
    vulnerabilities
  )
done
echo "lint: clean"
