#!/usr/bin/env bash
# launch and poll stay small (cold starts): under 10 MB each, and without the S3 client. All functions start on arm64.
set -euo pipefail
for f in launch poll; do
  size=$(wc -c < "bin/$f/bootstrap")
  [ "$size" -lt 10000000 ] || { echo "$f has $size bytes; 10000000 is the limit" >&2; exit 1; }
  if go list -deps "./functions/$f" | grep -x 'github.com/aws/aws-sdk-go-v2/service/s3'; then
    echo "$f links the S3 client" >&2
    exit 1
  fi
done
echo "launch and poll are under 10 MB and free of the S3 client"

# The builds for arm64 are executed, too, by an emulator: up to the first request for an event.
command -v qemu-aarch64-static > /dev/null || { apt-get update -qq && apt-get install -y -qq qemu-user-static > /dev/null; }
go run -C bench . -only cold -arch arm64 -under qemu-aarch64-static

# The unpack function beside the bench's own archives, small: every file must be there.
go run -C bench . -only unpack -ours -scale 50 -slow-runs 1
