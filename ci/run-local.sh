#!/usr/bin/env bash
# make run as a newcomer types it: the output alone on stdout, an archive that other programs can read, and named
# errors with an exit status for what must fail.
set -euo pipefail
work=$1

make run > "$work/output.json" 2> "$work/screen" || { cat "$work/screen" >&2; exit 1; }
cat "$work/screen" "$work/output.json"
python3 - "$work/output.json" <<'P'
import json, os, sys, zipfile
out = json.load(open(sys.argv[1]))
path = os.path.join(".local/s3", out["bucket"], out["key"])
z = zipfile.ZipFile(path)
assert z.testzip() is None, "a file in the ZIP is damaged"
assert os.path.getsize(path) == out["size"], (os.path.getsize(path), out)
assert len(z.namelist()) == out["entries"] > 0, (len(z.namelist()), out)
assert set(out) >= {"bucket", "key", "size", "etag", "checksumCRC64NVME", "jobId", "entries"}, out
print("Python's zipfile accepts", path)
P
unzip -tq ".local/s3/$(python3 -c 'import json,sys; o=json.load(open(sys.argv[1])); print(o["bucket"] + "/" + o["key"])' "$work/output.json")"

# refused NAME ERROR JSON: the run must end in ERROR, with nothing on stdout.
refused() {
  printf '%s' "$3" > "$work/input.json"
  if make run INPUT="$work/input.json" > "$work/stdout" 2> "$work/screen"; then
    echo "$1: make run did not fail" >&2
    exit 1
  fi
  grep -q "$2" "$work/screen" && [ ! -s "$work/stdout" ] || { echo "$1: no $2" >&2; cat "$work/screen" >&2; exit 1; }
  echo "$1: $(grep -m1 "$2" "$work/screen")"
}
refused "a failing job" JobFailed '{"query":{"assetIds":["asset_fail"]}}'
refused "a canceled job" JobCanceled '{"query":{"assetIds":["asset_cancel"]}}'
refused "an empty query" RequestInvalid '{"query":{}}'
refused "1001 assets" RequestInvalid "$(python3 -c 'import json; print(json.dumps({"query":{"assetIds":["asset_%d"%i for i in range(1001)]}}))')"
refused "malformed JSON" RequestInvalid '{"query":'
refused "a key that escapes" RequestInvalid '{"query":{"assetIds":["asset_1"]},"destination":{"key":"../../x.zip"}}'
refused "a key too long" RequestInvalid '{"query":{"assetIds":["asset_1"]},"destination":{"key":"'"$(printf 'k%.0s' $(seq 1025))"'"}}'
# secretless: no credential and no signed URL in any log of the functions at their most talkative, nor on the screen.
# The stand-in's secret and its Basic authentication are known; a signed URL is one with a signature in its query.
secretless() {
  local basic
  basic=$(printf 'local-key:local-secret' | base64)
  if grep -rnE "local-secret|$basic|Authorization|[?&](X-Amz-)?Signature=" .local/logs "$work/screen" "$work/stdout" > "$work/leaks"; then
    echo "a secret or a signed URL is printed:" >&2
    cut -c1-200 "$work/leaks" >&2
    exit 1
  fi
}
rm -rf .local/logs
for assets in '"asset_1"' '"asset_expired"' '"asset_corrupt"' '"asset_fail"' '"asset_missing_1"'; do
  printf '{"query":{"assetIds":[%s]}}' "$assets" > "$work/input.json"
  LOG_LEVEL=debug make run INPUT="$work/input.json" > "$work/stdout" 2> "$work/screen" || :
  secretless
done
grep -q '"level":"DEBUG"' .local/logs/*.log || { echo "the logs are not at debug level" >&2; exit 1; }
echo "no secret and no signed URL in $(cat .local/logs/*.log | wc -l) lines of logs at debug level"
if pgrep -f "$PWD/.local/bin" >&2; then echo "a process is left behind" >&2; exit 1; fi
