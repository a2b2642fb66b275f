#!/usr/bin/env bash
# make deploy: looks first for what would fail late, then builds and deploys. CONFIG names a part of samconfig.toml
# (default: dev's values); YES=1 asks nothing. Scenario's credentials are taken from the environment, if they are there:
# SCENARIO_SECRET_ARN, or SCENARIO_API_KEY and SCENARIO_API_SECRET.
set -euo pipefail
cd "$(dirname "$0")/.."
config=${CONFIG:-default}

stop() {
  printf 'Nothing was deployed: %s\n' "$*" >&2
  exit 2
}
needs() { command -v "$1" > /dev/null || stop "$1 is not installed: see $2"; }

needs go https://go.dev/dl/
needs make https://www.gnu.org/software/make/
needs sam https://docs.aws.amazon.com/serverless-application-model/
needs aws https://docs.aws.amazon.com/cli/
grep -q "^\[$config\.global\.parameters\]" samconfig.toml || stop "samconfig.toml has no [$config.…]; CONFIG may be default or prod, or what you add there"
stack=$(awk -F'"' -v part="[$config.global.parameters]" '$0 == part { on = 1 } on && /^stack_name/ { print $2; exit }' samconfig.toml)

region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
[ -n "$region" ] || stop "no region is set. Try: export AWS_REGION=eu-west-1"
# AWS CLI 1 and SAM read one of the two, AWS CLI 2 the other first.
export AWS_REGION=$region AWS_DEFAULT_REGION=$region
# The first that reads parameters from a file, which is how a secret stays out of the command line.
oldest=1.152.0
version=$(sam --version | sed 's/.* //')
[ "$(printf '%s\n' "$oldest" "$version" | sort -V | head -1)" = "$oldest" ] ||
  stop "SAM CLI $version is too old; $oldest or later is needed: see https://docs.aws.amazon.com/serverless-application-model/"
if ! identity=$(aws sts get-caller-identity --query Arn --output text 2>&1); then
  stop "AWS does not take your credentials (${identity##*$'\n'}). Try: aws configure sso, or set AWS_PROFILE"
fi
# No stack, no status.
status=$(aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].StackStatus' --output text 2> /dev/null || true)
case $status in
  ROLLBACK_COMPLETE | ROLLBACK_FAILED | DELETE_FAILED)
    stop "the stack $stack is in $status: it was never whole, and cannot be updated. Delete it: make destroy CONFIG=$config. Then deploy again"
    ;;
  UPDATE_ROLLBACK_FAILED)
    stop "the stack $stack is in $status. Try: aws cloudformation continue-update-rollback --stack-name $stack, and deploy again when that is done"
    ;;
  REVIEW_IN_PROGRESS) echo "$stack is in REVIEW_IN_PROGRESS: an earlier changeset was not confirmed, and nothing of it was made. This one takes its place." ;;
  *_IN_PROGRESS) stop "the stack $stack is in $status. Wait until that has ended: aws cloudformation describe-stack-events --stack-name $stack" ;;
esac
echo "Deploying $stack as $identity in $region"

# A parameter that is not given keeps its value, once the stack is there. The values go through a file that only you may
# read: what stands in a command line, everyone on the machine can see.
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
values=$private/values.yaml # SAM takes the format from the name
touch "$values"
if [ -n "${SCENARIO_SECRET_ARN:-}" ]; then
  aws secretsmanager describe-secret --secret-id "$SCENARIO_SECRET_ARN" --region "$region" > /dev/null ||
    stop "SCENARIO_SECRET_ARN names no secret that you may see in $region"
  printf 'ScenarioSecretArn: "%s"\n' "$SCENARIO_SECRET_ARN" >> "$values"
elif [ -n "${SCENARIO_API_KEY:-}" ] && [ -n "${SCENARIO_API_SECRET:-}" ]; then
  printf 'ScenarioApiKey: "%s"\nScenarioApiSecret: "%s"\n' "$SCENARIO_API_KEY" "$SCENARIO_API_SECRET" >> "$values"
elif [ -z "$status" ] || [ "$status" = REVIEW_IN_PROGRESS ]; then
  stop "the stack $stack is new, and Scenario's credentials are missing. Set SCENARIO_SECRET_ARN, or SCENARIO_API_KEY and SCENARIO_API_SECRET"
fi
# What samconfig.toml says would be replaced, not added to, by values given here.
awk -v part="[$config.deploy.parameters]" '/^\[/ { on = ($0 == part) } on && /^  "[A-Za-z]+=/ { gsub(/^  "|",?$/, ""); i = index($0, "="); printf "%s: \"%s\"\n", substr($0, 1, i - 1), substr($0, i + 1) }' samconfig.toml >> "$values"

architecture=$(sed -n 's/^Architecture: "\(.*\)"/\1/p' "$values")
case ${architecture:-arm64} in x86_64) export GOARCH_LAMBDA=amd64 ;; *) export GOARCH_LAMBDA=arm64 ;; esac
sam build --config-env "$config" --parameter-overrides "Architecture=${architecture:-arm64}"
sam deploy --config-env "$config" --region "$region" --parameter-overrides "file://$values" \
  ${YES:+--no-confirm-changeset} "$@"
