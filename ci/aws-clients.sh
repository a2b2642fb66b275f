#!/usr/bin/env bash
# AWS's own clients on the local S3 server: the AWS CLI and boto3 put 1 GiB and get it back, again and again.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(bash ci/python.sh ci/requirements-tools.txt)
make .local/bin/local
timeout 600 "$tools/bin/python" ci/aws_clients.py .local/bin/local "$tools/bin/aws"
