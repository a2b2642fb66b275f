#!/usr/bin/env bash
# make destroy: deletes the stack of CONFIG (a part of samconfig.toml); YES=1 asks nothing. The bucket and what is in it stay.
set -euo pipefail
cd "$(dirname "$0")/.."
config=${CONFIG:-default}

stop() {
  printf 'Nothing was deleted: %s\n' "$*" >&2
  exit 2
}
needs() { command -v "$1" > /dev/null || stop "$1 is not installed: see $2"; }

needs sam https://docs.aws.amazon.com/serverless-application-model/
needs aws https://docs.aws.amazon.com/cli/
stack=$(awk -F'"' -v part="[$config.global.parameters]" '$0 == part { on = 1 } on && /^stack_name/ { print $2; exit }' samconfig.toml)
[ -n "$stack" ] || stop "samconfig.toml has no [$config.…]; CONFIG may be default or prod, or what you add there"
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
[ -n "$region" ] || stop "no region is set. Try: export AWS_REGION=eu-west-1"
# AWS CLI 1 and SAM read one of the two, AWS CLI 2 the other first.
export AWS_REGION=$region AWS_DEFAULT_REGION=$region
if ! identity=$(aws sts get-caller-identity --query Arn --output text 2>&1); then
  stop "AWS does not take your credentials (${identity##*$'\n'}). Try: aws configure sso, or set AWS_PROFILE"
fi
found=$(aws cloudformation describe-stacks --stack-name "$stack" --region "$region" 2>&1) ||
  stop "there is no stack $stack in $region to be seen (${found##*$'\n'})"

echo "Deleting $stack as $identity in $region. Its running executions end with it; its bucket and the archives stay."
sam delete --config-env "$config" --stack-name "$stack" --region "$region" ${YES:+--no-prompts} "$@"
