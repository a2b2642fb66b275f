#!/usr/bin/env bash
# An independent client must be able to drive the stand-in: the official Python SDK.
set -euo pipefail
work=$1
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check -r scenario/scenariotest/testdata/requirements.txt
go build -o "$work/scenariotest" ./scenario/scenariotest/cmd/scenariotest
"$work/scenariotest" -addr 127.0.0.1:0 > "$work/url" &
server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do [ -s "$work/url" ] && break; sleep 0.1; done
"$work/venv/bin/python" scenario/scenariotest/testdata/sdk_check.py --url "$(cat "$work/url")"
