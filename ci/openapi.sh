#!/usr/bin/env bash
# The API against its document, functions/api/openapi.yaml: a public linter, a validator of every request and answer,
# and an independent property-based client. An argument names a directory for what it makes.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:-$(mktemp -d)}
front=
trap '[ -z "$front" ] || kill "$front" 2> /dev/null; [ $# -gt 0 ] || rm -rf "$work"' EXIT
python=$(bash ci/python.sh ci/requirements-openapi.txt)

echo "--- redocly lint"
mkdir -p "$work/redocly"
cp ci/openapi/package.json ci/openapi/package-lock.json "$work/redocly/"
npm ci --prefix "$work/redocly" --no-audit --no-fund --silent
REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
  "$work/redocly/node_modules/.bin/redocly" lint --config functions/api/redocly.yaml functions/api/openapi.yaml

echo "--- Requests and answers against the document"
# Go does not know that the test reads the document: without -count=1 an old pass would do.
go test -C ci -count=1 ./openapitest

echo "--- schemathesis"
go build -C ci -o "$work/front" ./openapitest
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$work/front" -addr "127.0.0.1:$port" &
front=$!
for _ in $(seq 100); do curl -s -o /dev/null "http://127.0.0.1:$port/archives" && break; sleep 0.1; done
cd "$work" # it leaves its own folder behind
"$python/bin/schemathesis" --config-file "$OLDPWD/functions/api/schemathesis.toml" run "$OLDPWD/functions/api/openapi.yaml" \
  --url "http://127.0.0.1:$port" -H 'Authorization: Bearer local' --max-examples 100 --seed 1
