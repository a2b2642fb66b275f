#!/usr/bin/env bash
# make destroy: deletes the stack of CONFIG (a part of samconfig.toml). The bucket and what is in it stay.
set -euo pipefail
cd "$(dirname "$0")/.."
config=${CONFIG:-default}
command -v sam > /dev/null || { echo "sam is not installed: see https://docs.aws.amazon.com/serverless-application-model/" >&2; exit 2; }
stack=$(awk -F'"' -v part="[$config.global.parameters]" '$0 == part { on = 1 } on && /^stack_name/ { print $2; exit }' samconfig.toml)
[ -n "$stack" ] || { echo "samconfig.toml has no [$config.global.parameters]" >&2; exit 2; }
echo "Running executions are stopped with the stack $stack. Its bucket and the archives stay."
sam delete --config-env "$config" --stack-name "$stack" "$@"
