#!/usr/bin/env bash
# Runs the README's test command with the race detector, and holds the statement coverage of all hand-written
# packages together, the local runner's too, at 85 % or more.
set -euo pipefail
work=$1

# Kills of every process of the local system, and what they leave. Most of its time is waiting, so it goes on beside all others.
CHAOS_SCHEDULES=4 go test -C local -count=1 -timeout 30m -run TestChaos ./chaos > "$work/chaos-output" 2>&1 &
chaos=$!
make test RACE=1 COVER="$work" 2>&1 | tee "$work/test-output"
# Hundreds of schedules of faults, without the race detector, which makes each ten times as long.
go test -run '^(TestFaultSuite|TestSchedules|TestArchivesTogether)$' ./internal/transfer ./internal/unpack ./internal/sync \
  -args -schedules 300 2>&1 | tee -a "$work/test-output"
go test -C bench -race ./... 2>&1 | tee -a "$work/test-output"
go test -C ci -race ./size 2>&1 | tee -a "$work/test-output"
wait "$chaos" || { cat "$work/chaos-output" >&2; exit 1; }
tee -a "$work/test-output" < "$work/chaos-output"

covered=$(cat "$work"/cover-*.out | awk '!/^mode:/ { all += $2; if ($3 > 0) hit += $2 } END { printf "%.1f", 100 * hit / all }')
echo "statement coverage: $covered %"
awk -v c="$covered" 'BEGIN { exit c < 85 }' || { echo "coverage is under 85 %" >&2; exit 1; }

# The runner's own closing lines, a package each.
grep -E '^(ok|FAIL|---|panic)' "$work/test-output" > "$work/test-summary"
