#!/usr/bin/env bash
# The page of `make up`, used with the keyboard in a real headless Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v chromium > /dev/null || { apt-get update -qq && apt-get install -y -qq chromium > /dev/null; }
chromium --version
make .local/bin/local
go test -C ci -count=1 ./browser
