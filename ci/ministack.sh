#!/usr/bin/env bash
# Somebody else's AWS: the real template on MiniStack, with roles enforced, by the real SAM and AWS CLIs: deployed, used in
# every way, updated and destroyed. An argument names a directory for what it makes.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:-$(mktemp -d)}
[ $# -gt 0 ] || trap 'rm -rf "$work"' EXIT
tools=$(bash ci/python.sh ci/requirements-tools.txt)
ministack=$(bash ci/python.sh ci/requirements-ministack.txt)
command -v curl > /dev/null || { apt-get update -qq && apt-get install -y -qq curl > /dev/null; }
"$tools/bin/sam" --version
"$tools/bin/aws" --version
echo "MiniStack $("$ministack/bin/python" -c 'from importlib.metadata import version; print(version("ministack"))')"

# A tree of its own: what is built there, and a changed samconfig.toml, are no one else's.
mkdir -p "$work/tree"
git ls-files -co --exclude-standard -z | tar -c --null -T - | tar -x -C "$work/tree"
go build -o "$work/scenariotest" ./scenario/scenariotest/cmd/scenariotest
"$tools/bin/python" -W ignore ci/ministack/check.py "$work" "$tools" "$ministack" || {
  tail -20 "$work/ministack.log" >&2
  exit 1
}
