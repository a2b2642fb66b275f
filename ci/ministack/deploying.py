"""What a person types, `make deploy` and `make destroy`, and what must be true after it."""

import base64
import hashlib
import io
import os
import re
import shutil
import time
import zipfile

from world import CREDENTIALS, KEY, REGION, SCENARIO, SECRET, STACK, must, until

THERE = CREDENTIALS | {"AWS_REGION": REGION}


BEGAN = time.monotonic()


def ok(text):
    print(f"{time.monotonic() - BEGAN:4.0f} s  {text}", flush=True)


def early(world):
    """Each fails before anything is built, with its own words and status 2."""
    secret = {"SCENARIO_SECRET_ARN": f"arn:aws:secretsmanager:{REGION}:000000000000:secret:no"}
    cases = [
        *((f"no {t}", THERE | SCENARIO, f"{t} is not installed: see https://", world.without(t)) for t in ("go", "make", "sam", "aws")),
        ("an old SAM CLI", THERE | SCENARIO, r"SAM CLI 1\.151\.0 is too old; 1\.152\.0", world.old_sam()),
        ("an unknown CONFIG", THERE | SCENARIO | {"CONFIG": "staging"}, r"samconfig.toml has no \[staging", None),
        ("no credentials", SCENARIO | {"AWS_REGION": REGION}, "AWS does not take your credentials .*Unable to locate", None),
        ("no region", CREDENTIALS | SCENARIO, "no region is set", None),
        ("a new stack without Scenario's credentials", THERE, f"the stack {STACK} is new, and Scenario's credentials are missing", None),
        ("a secret that is not there", THERE | secret, "SCENARIO_SECRET_ARN names no secret", None),
    ]
    bash = shutil.which("bash")
    for name, env, words, path in cases:
        status, out = world.run([bash, "deploy/deploy.sh"], env, path)
        must(status == 2 and re.search(f"Nothing was deployed: {words}", out), f"{name}: exit status {status}\n{out}")
    status, out = world.run([bash, "deploy/destroy.sh"], THERE)
    must(status == 2 and "Nothing was deleted: there is no stack" in out, f"nothing to destroy: exit status {status}\n{out}")
    must(not os.path.exists(f"{world.tree}/.aws-sam"), "something was built before the checks")
    ok(f"{len(cases) + 1} commands that cannot work say so before anything is built")


def parameters(world, **values):
    """Writes values into samconfig.toml, as a person does."""
    path = f"{world.tree}/samconfig.toml"
    with open(path) as f:
        text = f.read()
    first = '  "LogLevel=debug",\n'
    must(first in text, f"samconfig.toml has no {first}")
    for name, value in values.items():
        text = re.sub(rf'^  "{name}=.*\n', "", text, count=1, flags=re.M)
        text = text.replace(first, f'{first}  "{name}={value}",\n', 1)
    with open(path, "w") as f:
        f.write(text)


def make(world, target, **more):
    return world.run(["make", target], THERE | more)


def first(world):
    """The first deployment: refused, then one that AWS rolls back, then the real one."""
    parameters(world, Architecture="x86_64", ScenarioBaseUrl=world.scenario)
    status, out = make(world, "deploy", **SCENARIO, ANSWER="n\n")
    must("Deploy this changeset?" in out and world.stack()[0] == "REVIEW_IN_PROGRESS", f"a changeset that is refused: {status}\n{out}")
    status, out = make(world, "deploy")
    must(status == 2 and "Nothing was deployed: the stack" in out, f"again, without credentials: exit status {status}\n{out}")
    status, out = make(world, "deploy", **SCENARIO, YES="1")
    must(status == 0, f"make deploy: exit status {status}\n{out}")
    must("REVIEW_IN_PROGRESS" in out, f"the changeset that nobody confirmed is not mentioned\n{out}")
    found, given, outputs = world.stack()
    must(found == "CREATE_COMPLETE", f"the stack is {found}")
    must(given["LogLevel"] == "debug" and given["Architecture"] == "x86_64", f"samconfig.toml is lost: {given}")
    made = world.client("cloudformation").list_stack_resources(StackName=STACK)["StackResourceSummaries"]
    must(all(r["ResourceStatus"] == "CREATE_COMPLETE" for r in made), f"not all is made: {made}")
    ok(f"make deploy: {len(made)} resources, {len(outputs)} outputs")
    built(world)
    secretless(world)
    return outputs


def built(world):
    """The code of each function is what was built for it, for its processor."""
    wanted = sorted(d for d in os.listdir(f"{world.tree}/.aws-sam/build") if d.endswith("Function"))
    zips = {base64.b64encode(hashlib.sha256(body).digest()).decode(): body for _, body in objects(world) if body[:2] == b"PK"}
    made = []
    for function in world.client("lambda").get_paginator("list_functions").paginate().build_full_result()["Functions"]:
        name = next((w for w in wanted if f"-{w}-" in function["FunctionName"]), function["FunctionName"])
        body = zips.get(function["CodeSha256"])
        must(body and len(body) == function["CodeSize"], f"{name}: no artifact has its hash and size")
        with open(f"{world.tree}/.aws-sam/build/{name}/bootstrap", "rb") as f:
            must(zipfile.ZipFile(io.BytesIO(body)).read("bootstrap") == f.read(), f"{name}: not the program that was built")
        must(function["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG", f"{name}: Lambda drops what LogLevel=debug asks for")
        made.append(name)
    must(sorted(made) == wanted, f"functions made: {made}, built: {wanted}")
    ok(f"the code of {len(made)} functions is what was built, and Lambda passes their debug lines")


def objects(world):
    s3 = world.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for o in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            yield f"{bucket['Name']}/{o['Key']}", s3.get_object(Bucket=bucket["Name"], Key=o["Key"])["Body"].read()


def secretless(world):
    """The secret is in no artifact, in nothing that was built, in no argument of a process."""
    places = list(objects(world))
    for directory, _, files in os.walk(f"{world.tree}/.aws-sam"):
        places += [(p, open(p, "rb").read()) for p in (f"{directory}/{f}" for f in files)]
    places.append(("arguments", open(f"{world.work}/arguments", "rb").read()))
    for name, body in places:
        must(SECRET.encode() not in body, f"the secret is in {name}")
    must(b"--parameter-overrides" in places[-1][1], "the arguments were not written down")
    ok(f"the secret is not on the terminal, nor in {len(places)} artifacts and arguments")


def update(world):
    """A second deployment needs no credentials, keeps those that are there, and asks nothing with YES=1."""
    before = world.stack()[2]
    parameters(world, LogRetentionDays="14")
    status, out = make(world, "deploy", YES="1")
    must(status == 0 and "Deploy this changeset?" not in out, f"make deploy again: exit status {status}\n{out}")
    found, given, outputs = world.stack()
    must(found == "UPDATE_COMPLETE" and given["LogRetentionDays"] == "14", f"the stack is {found}, {given}")
    must(outputs == before, f"the outputs changed: {before} {outputs}")
    secret = world.client("secretsmanager").list_secrets()["SecretList"][0]["ARN"]
    value = world.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    must(KEY in value and SECRET in value, "the credentials were lost")
    ok("make deploy again, without credentials: the stack is updated and keeps them")


def failed(world):
    """A stack whose creation was rolled back is named before anything is built; so is one that another deployment
    holds. The bucket of a creation that failed is gone."""
    cloudformation = world.client("cloudformation")
    template = '{"Resources": {"B": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "RetainExceptOnCreate"}, ' \
        '"A": {"Type": "AWS::CloudWatch::Alarm", "DependsOn": "B", "Properties": {"AlarmName": "wrong"}}}}'
    cloudformation.create_stack(StackName="scenario-archive", TemplateBody=template)
    until(lambda: cloudformation.describe_stacks(StackName="scenario-archive")["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE",
          "a stack that cannot be made is not rolled back")
    status, out = world.run(["make", "deploy"], THERE | SCENARIO | {"CONFIG": "prod"})
    must(status == 2 and "ROLLBACK_COMPLETE" in out and "make destroy CONFIG=prod" in out, f"ROLLBACK_COMPLETE: exit status {status}\n{out}")
    status, out = world.run(["make", "destroy"], THERE | {"CONFIG": "prod", "YES": "1"})
    must(status == 0, f"make destroy of it: exit status {status}\n{out}")
    ok("a stack in ROLLBACK_COMPLETE: make deploy says to destroy it first, and make destroy does")


def destroy(world, bucket):
    s3 = world.client("s3")
    kept = {o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    status, out = make(world, "destroy", YES="1")
    must(status == 0, f"make destroy: exit status {status}\n{out}")
    left = [s["StackName"] for s in world.client("cloudformation").describe_stacks()["Stacks"] if s["StackStatus"] != "DELETE_COMPLETE"]
    must(STACK not in left, "the stack is still there")
    must(not world.client("lambda").list_functions()["Functions"], "functions are left behind")
    must({o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]} == kept and kept, "objects are gone")
    must("Deny" in s3.get_bucket_policy(Bucket=bucket)["Policy"], "the bucket's policy is gone")
    ok(f"make destroy: the stack is gone, {bucket}, its policy and its {len(kept)} objects stay; stacks left: {', '.join(left)}")
