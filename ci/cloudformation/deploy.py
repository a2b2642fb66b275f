"""Deploys the transformed template in moto's CloudFormation and looks at what is there: every resource whose condition
holds exists, every output resolves. It says where moto stops.

    python deploy.py TRANSFORMED.json
"""

import json
import os
import re
import sys

os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}

import boto3  # noqa: E402
import moto.cloudwatch.models  # noqa: E402, F401
from moto import mock_aws  # noqa: E402
from moto.cloudformation.parsing import NULL_MODELS, get_model_map  # noqa: E402

from conditions import Conditions  # noqa: E402

MODELLED = set(get_model_map()) - set(NULL_MODELS)
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:scenario-AbCdEf"

# Each with what must then be there, or must not.
VARIANTS = {
    "as it comes": ({"ScenarioApiKey": "key", "ScenarioApiSecret": "secret"}, {"Bucket", "Secret", "HttpApi"}, {"EndsTopic", "AlarmSubscription"}),
    "everything on": ({"ScenarioApiKey": "key", "ScenarioApiSecret": "secret", "KmsKeyArn": KEY, "NotificationEmail": "a@example.com",
                       "AlarmEmail": "b@example.com", "ApiJwtIssuer": "https://id.example.com", "ApiJwtAudience": "studio",
                       "ApiCorsOrigins": "https://studio.example.com", "TransferConcurrency": "5", "ControlConcurrency": "5",
                       "SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1",
                       "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/bound"},
                      {"Bucket", "Secret", "EndsTopic", "SucceededRule", "FailedRule", "AlarmSubscription"}, set()),
    "what exists is used": ({"ScenarioSecretArn": SECRET, "ExistingBucket": "mine", "WithApi": "false"}, {"ArchiveStateMachine"},
                            {"Bucket", "BucketPolicy", "Secret", "HttpApi", "ApiFunction"}),
}


def artifacts(template):
    """The code must be in S3: an empty ZIP, which moto does not open."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="artifacts")
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function":
            s3.put_object(Bucket="artifacts", Key=name, Body=b"PK\x05\x06" + bytes(18))


def unsupported(template):
    return sorted({r["Type"] for r in template["Resources"].values()} - MODELLED)


def without(template, names):
    """The template less some resources; what refers to them gets a value that says so."""
    def walk(node):
        if isinstance(node, list):
            return [walk(n) for n in node]
        if not isinstance(node, dict):
            return node
        target = node.get("Ref") or (node.get("Fn::GetAtt") or [None])[0]
        if target in names:
            return f"arn:aws:moto:us-east-1:123456789012:no-{target}"
        if isinstance(node.get("Fn::Sub"), str):
            return {"Fn::Sub": re.sub(r"\$\{(\w+)(\.\w+)?\}", lambda m: f"no-{m[1]}" if m[1] in names else m[0], node["Fn::Sub"])}
        return {k: walk(v) for k, v in node.items()}

    resources = {n: walk(r) for n, r in template["Resources"].items() if n not in names}
    return template | {"Resources": resources, "Outputs": walk(template.get("Outputs", {}))}


def deploy(name, template, parameters, there, absent):
    template = template | {"Resources": Conditions(template, parameters).settle(template["Resources"])}
    with mock_aws():
        artifacts(template)
        cloudformation = boto3.client("cloudformation")
        cloudformation.create_stack(
            StackName="test", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()])
        stack = cloudformation.describe_stacks(StackName="test")["Stacks"][0]
        resources = {r["LogicalResourceId"]: r for r in cloudformation.list_stack_resources(StackName="test")["StackResourceSummaries"]}
        outputs = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}
        check(name, template, stack, resources, outputs, there, absent)


def check(name, template, stack, resources, outputs, there, absent):
    problems = []
    if stack["StackStatus"] != "CREATE_COMPLETE":
        problems.append(f"the stack is {stack['StackStatus']}")
    conditioned = {n for n, r in template["Resources"].items() if "Condition" in r}
    wanted = (set(template["Resources"]) - conditioned) | (there & set(template["Resources"]))
    problems += [f"{n} was not made" for n in sorted(wanted - set(resources))]
    problems += [f"{n} was made" for n in sorted(absent & set(resources))]
    # moto gives a Lambda permission no ID.
    problems += [f"{n} has no physical ID" for n, r in resources.items()
                 if not r.get("PhysicalResourceId") and r.get("ResourceType") != "AWS::Lambda::Permission" and n]
    problems += [f"output {n} is not resolved: {v}" for n, v in outputs.items() if not v or re.search(r"\$\{|Fn::|\{'Ref'", str(v))]
    expected = {n for n, o in template["Outputs"].items() if "Condition" not in o}
    problems += [f"output {n} is missing" for n in sorted(expected - set(outputs))]
    print(f"{name}: {stack['StackStatus']}, {len(resources)} resources, {len(outputs)} outputs")
    if name == "as it comes":
        for n, v in outputs.items():
            print(f"  {n} = {v}")
    if problems:
        raise SystemExit("\n".join(["moto's CloudFormation:"] + problems))


def main():
    with open(sys.argv[1]) as f:
        template = json.load(f)
    types = unsupported(template)
    left_out = {n for n, r in template["Resources"].items() if r["Type"] in types}
    print("moto stops at these types, and does not make:", ", ".join(types), "=", ", ".join(sorted(left_out)))
    template = without(template, left_out)
    for name, (parameters, there, absent) in VARIANTS.items():
        deploy(name, template, parameters, there, absent)


if __name__ == "__main__":
    main()
