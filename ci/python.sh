#!/usr/bin/env bash
# Prints the directory of a virtual environment with exactly what a lock file names, hashes checked; makes it when it
# is not there yet:
#
#	venv=$(ci/python.sh ci/requirements.txt)
#
# Environments are kept between runs under CI_CACHE (default ~/.cache/scenario-archive), one for each content of a lock file.
set -euo pipefail
lock=$1
cache=${CI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/scenario-archive}
version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
venv=$cache/venv-$version-$(cat "$lock" ci/requirements-uv.txt | sha256sum | cut -c1-16)

if [ ! -e "$venv/complete" ]; then
  echo "Installing $lock for Python $version ..." >&2
  rm -rf "$venv"
  mkdir -p "$cache"
  python3 -m venv "$venv"
  # uv installs in seconds what takes pip a minute.
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r ci/requirements-uv.txt >&2
  VIRTUAL_ENV=$venv "$venv/bin/uv" pip install --quiet --require-hashes -r "$lock" >&2
  touch "$venv/complete"
fi
echo "$venv"
