#!/usr/bin/env bash
# Makes the image in which `sam local` runs the functions, and puts it in the place of the public one, which no
# registry gives us in CI. SAM adds its runtime interface emulator. Arguments: where the functions find what is on the
# host, as NAME=VALUE for their environment.
#
# The image holds what the functions may rely on in Lambda (certificates, /tmp), a shell for SAM's own build step, and
# the forwarder that makes the host's services appear on the container's loopback (see ci/forward).
set -euo pipefail
# The functions may be built for the other architecture, the image is for this machine's.
case $(docker version --format '{{.Server.Arch}}') in
  amd64) arch=x86_64 ;;
  arm64) arch=arm64 ;;
  *) echo "SAM knows no $(docker version --format '{{.Server.Arch}}')" >&2; exit 1 ;;
esac
image=public.ecr.aws/lambda/provided:al2023-$arch
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

command -v busybox > /dev/null && file -L "$(command -v busybox)" | grep -q 'statically linked' || {
  [ "$(id -u)" = 0 ] || { echo "a static busybox is needed: apt-get install busybox-static" >&2; exit 1; }
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq busybox-static > /dev/null
}
mkdir -p "$root"/{bin,etc/ssl/certs,opt/extensions,tmp,var/task,var/runtime,var/rapid,usr/bin}
chmod 1777 "$root/tmp"
cp "$(command -v busybox)" "$root/bin/busybox"
for tool in sh mv chmod cp rm cat ls; do ln -s busybox "$root/bin/$tool"; done
echo 'root:x:0:0:root:/:/bin/sh' > "$root/etc/passwd"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
[ -z "${LOCAL_CA:-}" ] || cp "$LOCAL_CA" "$root/etc/ssl/local-ca.pem"
CGO_ENABLED=0 GOOS=linux go build -C ci -trimpath -o "$root/opt/extensions/forward" ./forward

changes=(--change 'WORKDIR /var/task' --change 'ENV PATH=/bin:/usr/bin')
for pair in "$@"; do changes+=(--change "ENV $pair"); done
# What SAM built on an earlier image must not be taken for this one's.
docker image rm --force "public.ecr.aws/lambda/provided:al2023-rapid-$arch" > /dev/null 2>&1 || true
tar -C "$root" -c . | docker import "${changes[@]}" - "$image" > /dev/null
docker image ls --format '{{.Repository}}:{{.Tag}} {{.Size}}' "$image"
