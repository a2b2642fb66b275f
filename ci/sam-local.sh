#!/usr/bin/env bash
# Runs the functions in containers by AWS's own tools; see sam_local.py. An argument names a directory for what it
# makes; without one a temporary one is used.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:-$(mktemp -d)}
[ $# -gt 0 ] || trap 'rm -rf "$work"' EXIT
bash ci/docker.sh
venv=$(bash ci/python.sh ci/requirements-tools.txt)
export PATH=$venv/bin:$PATH SAM_CLI_TELEMETRY=0

case $(docker version --format '{{.Server.Arch}}') in
  arm64) arch=arm64 goarch=arm64 ;;
  *) arch=x86_64 goarch=amd64 ;;
esac
# ci/sam.sh has built them already.
[ -e "$work/build-$arch/template.yaml" ] ||
  GOARCH_LAMBDA=$goarch sam build --build-dir "$work/build-$arch" --parameter-overrides "Architecture=$arch"
python ci/sam_local.py "$work"
