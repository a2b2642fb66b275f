#!/usr/bin/env bash
# Archives by the writers that are likely and those that are odd, unpacked by us, by Python's zipfile and by unzip: the
# same files, byte for byte.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(realpath "$1")/unpack
source=$work/source out=$work/archives
export LC_ALL=C.UTF-8
missing=()
command -v zip > /dev/null || missing+=(zip)
command -v unzip > /dev/null || missing+=(unzip)
command -v 7z 7zz > /dev/null || missing+=(7zip)
command -v jar > /dev/null || missing+=(default-jdk-headless)
command -v npm > /dev/null || missing+=(npm)
[ ${#missing[@]} = 0 ] || { apt-get update -qq && apt-get install -y -qq "${missing[@]}" > /dev/null; }

mkdir -p "$source" "$out" "$work/node"
python3 ci/unpack/archives.py write "$source" "$out"
cp ci/unpack/{package.json,package-lock.json,write.mjs} "$work/node"
(cd "$work/node" && npm ci --silent --no-audit --no-fund --ignore-scripts && node write.mjs "$source" "$out")
(
  cd "$source"
  zip -qr "$out/info-zip.zip" .
  zip -qr0 "$out/info-zip-stored.zip" .
  zip -qr - . | cat > "$out/info-zip-pipe.zip"
  (printf '#!/bin/sh\nexec unzip "$0"\n'; cat "$out/info-zip.zip") > "$out/info-zip-self-extracting.zip"
  "$(command -v 7z || command -v 7zz)" a -bd -bso0 -bsp0 "$out/7z.zip" .
  jar cMf "$out/jar.zip" .
)
for archive in "$out"/*.zip; do
  unzip -qq "$archive" -d "$archive.unzip" || [ $? = 1 ] # 1: a warning, of the program before an archive
done
# unzip takes the UTF-8 names of jar for a code page; jar itself does not.
rm -rf "$out/jar.zip.unzip" && mkdir "$out/jar.zip.unzip" && (cd "$out/jar.zip.unzip" && jar xf ../jar.zip)
python3 ci/unpack/archives.py extract "$out"
ARCHIVES=$out go test -C ci -count=1 ./unpack
rm -rf "$work"
