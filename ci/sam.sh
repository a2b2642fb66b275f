#!/usr/bin/env bash
# `sam build` of every function for both processors, then all of it in containers (sam-local.sh). An argument names a
# directory for what it makes. Where containers cannot run, that is said and fails in CI; the builds are judged anyway.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:-$(mktemp -d)}
[ $# -gt 0 ] || trap 'rm -rf "$work"' EXIT
venv=$(bash ci/python.sh ci/requirements-tools.txt)
export PATH=$venv/bin:$PATH SAM_CLI_TELEMETRY=0

# built DIR MACHINE: every function there is a static binary for it (e_machine of its ELF header).
built() {
  python3 - "$1" "$2" <<'P'
import glob, os, sys
directory, machine = sys.argv[1], {"arm64": 183, "x86_64": 62}[sys.argv[2]]
functions = {os.path.basename(os.path.dirname(p)) for p in glob.glob("functions/*/main.go")}
found = glob.glob(f"{directory}/*/bootstrap")
for path in found:
    header = open(path, "rb").read(20)
    assert header[:4] == b"\x7fELF" and header[18] == machine, f"{path} is not for {sys.argv[2]}"
names = {os.path.basename(os.path.dirname(p)).removesuffix("Function").lower() for p in found}
assert names == functions, f"built: {sorted(names)}, in functions/: {sorted(functions)}"
print(f"{len(found)} functions are built for {sys.argv[2]}")
P
}

echo "--- sam build, arm64"
sam build --build-dir "$work/build-arm64" --parameter-overrides Architecture=arm64
built "$work/build-arm64" arm64
echo "--- sam build, x86_64"
GOARCH_LAMBDA=amd64 sam build --build-dir "$work/build-x86_64" --parameter-overrides Architecture=x86_64
built "$work/build-x86_64" x86_64

if ! bash ci/docker.sh; then
  [ "${CI:-}" != true ] || exit 1
  echo "NOT RUN: the functions in containers" >&2
  exit 0
fi
bash ci/sam-local.sh "$work"
