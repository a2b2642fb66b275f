#!/usr/bin/env bash
# The state machines on an engine that no one here wrote, moto's, beside the project's own: the cases of both with the
# functions' answers written down, and the States Language in small definitions. The real functions run on MiniStack
# (ci/ministack.sh). An argument names a directory for what it makes.
set -euo pipefail
cd "$(dirname "$0")/.."
WORK=${1:-$(mktemp -d)}
export WORK
[ $# -gt 0 ] || trap 'rm -rf "$WORK"' EXIT
python=$(bash ci/python.sh ci/requirements-tools.txt)/bin/python
go build -C local -o "$WORK/local" .
"$python" ci/moto/scripted.py
"$python" ci/moto/language.py
