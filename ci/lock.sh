#!/usr/bin/env bash
# Writes the lock files of the Python tools: every package that the .in files lead to, with its hashes. Run it
# after a change in an .in file.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(ci/python.sh ci/requirements-uv.txt)
for name in uv tools checkov openapi ministack; do
  "$venv/bin/uv" pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
    --custom-compile-command ci/lock.sh "ci/requirements-$name.in" -o "ci/requirements-$name.txt"
done
