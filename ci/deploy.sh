#!/usr/bin/env bash
# `make deploy` and `make destroy` by the real SAM CLI and the real AWS CLI, against moto's server. An argument names a
# directory for what it makes.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:-$(mktemp -d)}
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null; [ $# -gt 0 ] || rm -rf "$work"' EXIT
tools=$(bash ci/python.sh ci/requirements-tools.txt)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$tools/bin/sam" --version
"$tools/bin/aws" --version

"$tools/bin/python" -W ignore ci/cloudformation/server.py "$port" > "$work/moto.log" 2>&1 &
server=$!
for _ in $(seq 300); do
  curl -s -o /dev/null "http://localhost:$port/moto-api/" && break
  kill -0 "$server" 2> /dev/null || { cat "$work/moto.log" >&2; exit 1; }
  sleep 0.2
done

# A tree of its own: what is built there, and a changed samconfig.toml, are no one else's.
mkdir -p "$work/tree"
git ls-files -co --exclude-standard -z | tar -c --null -T - | tar -x -C "$work/tree"
"$tools/bin/python" ci/cloudformation/make_deploy.py "$work" "$tools/bin" "http://localhost:$port" || {
  tail -20 "$work/moto.log" >&2
  exit 1
}
grep '^moto does not make' "$work/moto.log" | sort -u
