#!/usr/bin/env bash
# Sees to it that containers can run here: with Docker as it is, or, for root on a Debian machine without it, with the
# engine from Debian's packages. Says exactly why where they cannot.
set -euo pipefail
log=${TMPDIR:-/tmp}/dockerd.log

refuse() {
  printf 'Containers cannot run here: %s\n' "$*" >&2
  exit 1
}

running() { docker info > /dev/null 2>&1; }

if ! running; then
  [ "$(id -u)" = 0 ] || refuse "no Docker engine answers (docker info), and only root could start one. Start Docker, or add yourself to the group docker."
  if ! command -v dockerd > /dev/null; then
    command -v apt-get > /dev/null || refuse "dockerd is not installed, and this is no Debian to install it on."
    echo "Installing Debian's Docker engine ..."
    apt-get update -qq > "$log" 2>&1 && DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends docker.io iptables >> "$log" 2>&1 ||
      refuse "apt-get could not install docker.io: $(tail -3 "$log")"
  fi
  echo "Starting dockerd (log: $log) ..."
  setsid dockerd > "$log" 2>&1 < /dev/null &
  for _ in $(seq 60); do
    running && break
    kill -0 $! 2> /dev/null || refuse "dockerd ended: $(grep -E 'level=(error|fatal)|failed' "$log" | tail -3)"
    sleep 0.5
  done
  running || refuse "dockerd did not answer within 30 s: $(tail -3 "$log")"
fi
docker version --format 'Docker engine {{.Server.Version}} ({{.Server.Os}}/{{.Server.Arch}})'
