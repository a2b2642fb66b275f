#!/usr/bin/env bash
# The template and the state machines' definitions, checked by other people's tools: AWS's linter and transform, the validator of the
# States Language, what API Gateway and EventBridge read with, and checkov. An argument names a directory for what it makes.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:-$(mktemp -d)}
[ $# -gt 0 ] || trap 'rm -rf "$work"' EXIT
tools=$(bash ci/python.sh ci/requirements-tools.txt)
checkov=$(bash ci/python.sh ci/requirements-checkov.txt)
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1

echo "--- cfn-lint"
"$tools/bin/cfn-lint" --version
"$tools/bin/cfn-lint" template.yaml && echo "no finding, and no rule ignored"

echo "--- sam validate --lint"
"$tools/bin/sam" validate --lint
"$tools/bin/sam" validate --lint --config-env prod

echo "--- Definitions and their substitutions"
"$tools/bin/python" ci/cloudformation/definitions.py template.yaml

echo "--- Parameters, alarms and metrics beside their docs"
"$tools/bin/python" ci/cloudformation/operations.py template.yaml

echo "--- asl-validator"
mkdir -p "$work/npm"
cp ci/package.json ci/package-lock.json "$work/npm/"
npm ci --prefix "$work/npm" --no-audit --no-fund --silent
for definition in statemachine/*.asl.json; do
  sed 's/${Partition}/aws/' "$definition" > "$work/$(basename "$definition")" # the validator knows integrations by their ARNs
  "$work/npm/node_modules/.bin/asl-validator" --json-path "$work/$(basename "$definition")"
done

echo "--- The SAM transform, by AWS's translator"
"$tools/bin/python" ci/cloudformation/transform.py template.yaml > "$work/template.json"
"$tools/bin/cfn-lint" "$work/template.json" && echo "what comes out is clean too"

echo "--- The API's body as API Gateway imports it, by swagger-parser"
command -v mvn > /dev/null || { apt-get update -qq && apt-get install -y -qq maven default-jdk-headless > /dev/null; }
mvn --quiet --batch-mode --file ci/java/pom.xml dependency:build-classpath -Dmdep.outputFile="$work/classpath"
mkdir -p "$work/bodies"
"$tools/bin/python" ci/cloudformation/bodies.py "$work/template.json" functions/api/openapi.yaml "$work/bodies"
java -cp "$(cat "$work/classpath")" ci/java/Import.java "$work"/bodies/*.json

echo "--- The rules as EventBridge matches them, by its event-ruler"
"$tools/bin/python" ci/cloudformation/rules.py "$work/template.json" > "$work/questions.json"
java -cp "$(cat "$work/classpath")" ci/java/Rules.java "$work/questions.json"

echo "--- checkov"
"$checkov/bin/checkov" --config-file ci/checkov.yaml --file "$work/template.json"
