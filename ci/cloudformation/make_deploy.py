"""What a person types, `make deploy` and `make destroy`, and what must be true after it.

    python make_deploy.py WORK TOOLS ENDPOINT

WORK/tree is the project's tree; TOOLS has sam and aws; ENDPOINT is moto's server (server.py).
"""

import base64
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile

import boto3

WORK, TOOLS, ENDPOINT = sys.argv[1:]
TREE, HOME, BIN = f"{WORK}/tree", f"{WORK}/home", f"{WORK}/bin"
STACK, REGION = "scenario-archive-dev", "eu-west-1"
KEY, SECRET = "key-of-the-check", "secret-of-the-check-7f3a"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIACHECK", "AWS_SECRET_ACCESS_KEY": "check"}
SCENARIO = {"SCENARIO_API_KEY": KEY, "SCENARIO_API_SECRET": SECRET}
ON_THE_WAY = ("bash", "make", "go", "dirname", "awk", "grep", "sed", "mktemp", "rm", "touch", "cat")


def client(service):
    return boto3.client(service, endpoint_url=ENDPOINT, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")


def must(condition, problem):
    if not condition:
        raise SystemExit(f"FAILED: {problem}")


def tools():
    """The real sam and aws, behind scripts that write down what they were called with: everyone may see that."""
    os.makedirs(BIN)
    os.makedirs(HOME)
    for name in ("sam", "aws"):
        with open(f"{BIN}/{name}", "w") as f:
            f.write(f'#!/bin/sh\necho "{name} $*" >> "{WORK}/arguments"\nexec "{TOOLS}/{name}" "$@"\n')
        os.chmod(f"{BIN}/{name}", 0o755)


def run(command, more, path=None):
    """Runs it in an environment that has only what a person would have; gives the exit status and the terminal."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "SCENARIO_"))}
    cache = {k: subprocess.run(["go", "env", k], capture_output=True, text=True, check=True).stdout.strip()
             for k in ("GOCACHE", "GOMODCACHE")}
    env |= cache | {"PATH": path or f"{BIN}:{env['PATH']}", "HOME": HOME, "AWS_ENDPOINT_URL": ENDPOINT,
                    "AWS_EC2_METADATA_DISABLED": "true", "SAM_CLI_TELEMETRY": "0"} | more
    answer = more.get("ANSWER", "")
    done = subprocess.run(command, cwd=TREE, env=env, input=answer, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    must(SECRET not in done.stdout, "the secret is on the terminal")
    return done.returncode, done.stdout


def without(tool):
    """A PATH with everything that deploy.sh calls but this."""
    directory = f"{WORK}/without-{tool}"
    os.makedirs(directory)
    for name in (*ON_THE_WAY, "sam", "aws"):
        if name != tool:
            os.symlink(shutil.which(name, path=f"{BIN}:{os.environ['PATH']}"), f"{directory}/{name}")
    return directory


def early():
    """Each fails before anything is built, with its own words and status 2."""
    there = CREDENTIALS | {"AWS_REGION": REGION}
    cases = [
        *((f"no {t}", there | SCENARIO, f"{t} is not installed: see https://", without(t)) for t in ("go", "make", "sam", "aws")),
        ("an unknown CONFIG", there | SCENARIO | {"CONFIG": "staging"}, r"samconfig.toml has no \[staging", None),
        ("no credentials", SCENARIO | {"AWS_REGION": REGION}, "AWS does not take your credentials .*Unable to locate", None),
        ("no region", CREDENTIALS | SCENARIO, "no region is set", None),
        ("a new stack without Scenario's credentials", there, f"the stack {STACK} is new, and Scenario's credentials are missing", None),
        ("a secret that is not there", there | {"SCENARIO_SECRET_ARN": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:no"},
         "SCENARIO_SECRET_ARN names no secret", None),
    ]
    bash = shutil.which("bash")
    for name, env, words, path in cases:
        status, out = run([bash, "deploy/deploy.sh"], env, path)
        must(status == 2 and re.search(f"Nothing was deployed: {words}", out), f"{name}: exit status {status}\n{out}")
        print(f"ok   {name}: {out.strip().splitlines()[-1]}")
    status, out = run([bash, "deploy/destroy.sh"], there)
    must(status == 2 and "Nothing was deleted: there is no stack" in out, f"nothing to destroy: exit status {status}\n{out}")
    print(f"ok   nothing to destroy: {out.strip().splitlines()[-1]}")
    must(not os.path.exists(f"{TREE}/.aws-sam"), "something was built before the checks")


def deploy(more):
    status, out = run(["make", "deploy"], CREDENTIALS | {"AWS_REGION": REGION} | more)
    return status, out


def stack():
    found = client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return found, {p["ParameterKey"]: p["ParameterValue"] for p in found["Parameters"]}, \
        {o["OutputKey"]: o["OutputValue"] for o in found["Outputs"]}


def objects():
    s3 = client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for o in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            yield f"{bucket['Name']}/{o['Key']}", s3.get_object(Bucket=bucket["Name"], Key=o["Key"])["Body"].read()


def functions():
    """The code of each function is the ZIP of what was built for it."""
    zips = {base64.b64encode(hashlib.sha256(body).digest()).decode(): body for _, body in objects() if body[:2] == b"PK"}
    found = client("lambda").list_functions()["Functions"]
    wanted = sorted(d for d in os.listdir(f"{TREE}/.aws-sam/build") if d.endswith("Function"))
    made = []
    for function in found:
        name = next((w for w in wanted if f"-{w}-" in function["FunctionName"]), None) or function["FunctionName"]
        body = zips.get(function["CodeSha256"])
        must(body and len(body) == function["CodeSize"], f"{name}: no artifact has its hash and size")
        with open(f"{TREE}/.aws-sam/build/{name}/bootstrap", "rb") as f:
            must(zipfile.ZipFile(io.BytesIO(body)).read("bootstrap") == f.read(), f"{name}: not the program that was built")
        made.append(name)
    must(sorted(made) == wanted, f"functions made: {made}, built: {wanted}")
    print(f"ok   the code of {len(made)} functions is what was built")


def secretless():
    """The secret is in no artifact, in nothing that was built, in no argument of a process."""
    places = list(objects())
    for directory, _, files in os.walk(f"{TREE}/.aws-sam"):
        places += [(p, open(p, "rb").read()) for p in (f"{directory}/{f}" for f in files)]
    places.append(("arguments", open(f"{WORK}/arguments", "rb").read()))
    for name, body in places:
        must(SECRET.encode() not in body, f"the secret is in {name}")
    must(b"--parameter-overrides" in places[-1][1], "the arguments were not written down")
    print(f"ok   the secret is not on the terminal, nor in {len(places)} artifacts and arguments")


def main():
    tools()
    early()

    status, out = deploy(SCENARIO | {"ANSWER": "n\n"})
    must("Deploy this changeset?" in out and "SUCCEEDED" not in out and stack_status() == "REVIEW_IN_PROGRESS",
         f"a changeset that is refused: exit status {status}\n{out}")
    print(f"ok   a person who answers n: {stack_status()}, nothing was made")
    status, out = deploy({})
    must(status == 2 and "Nothing was deployed: the stack" in out, f"again, without credentials: exit status {status}\n{out}")
    print("ok   that stack counts as new")
    # moto would make a second stack of this name beside the one that waits for its review.
    client("cloudformation").delete_stack(StackName=STACK)

    status, out = deploy(SCENARIO | {"ANSWER": "y\n"})
    must(status == 0, f"make deploy: exit status {status}\n{out}")
    found, parameters, outputs = stack()
    must(found["StackStatus"] == "CREATE_COMPLETE", found["StackStatus"])
    must(parameters["ScenarioApiKey"] == KEY and parameters["ScenarioApiSecret"] == SECRET, "the credentials did not arrive")
    must(parameters["LogLevel"] == "debug" and parameters["LogRetentionDays"] == "7", f"samconfig.toml's values: {parameters}")
    flat = re.sub(r"\s", "", out)
    for name, value in outputs.items():
        must(name in out and re.sub(r"\s", "", value) in flat, f"output {name} is not printed: {value}")
    print(f"ok   make deploy: {found['StackStatus']}, {len(outputs)} outputs, all printed")
    functions()
    secretless()

    samconfig("LogRetentionDays=7", "LogRetentionDays=14")
    status, out = deploy({"YES": "1"})
    gap = "An error occurred (ValidationError) when calling the ExecuteChangeSet operation: Template error: instance of Fn::GetAtt"
    must(status != 0 and gap in out, f"moto executes an update now: look at the stack after it, too\n{out}")
    must("Deploy this changeset?" not in out, "YES=1 asks")
    cloudformation = client("cloudformation")
    sent = [cloudformation.describe_change_set(ChangeSetName=c["ChangeSetId"])
            for c in cloudformation.list_change_sets(StackName=STACK)["Summaries"]]
    sent = [{p["ParameterKey"]: p["ParameterValue"] for p in c["Parameters"]} for c in sent]
    sent = [p for p in sent if p.get("LogRetentionDays") == "14"]
    must(len(sent) == 1 and sent[0]["ScenarioApiKey"] == KEY and sent[0]["ScenarioApiSecret"] == SECRET, "the credentials were lost")
    print("ok   a second make deploy without credentials, YES=1: its change set keeps them. moto stops at executing it:")
    print("     " + next(line for line in out.splitlines() if gap in line))
    destroy(outputs["BucketName"])


def samconfig(old, new):
    with open(f"{TREE}/samconfig.toml") as f:
        text = f.read()
    must(old in text, f"samconfig.toml has no {old}")
    with open(f"{TREE}/samconfig.toml", "w") as f:
        f.write(text.replace(old, new, 1))


def stack_status():
    return client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]


def destroy(bucket):
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key="archives/kept.zip", Body=b"kept")
    status, out = run(["make", "destroy"], CREDENTIALS | {"AWS_REGION": REGION, "YES": "1"})
    must(status == 0, f"make destroy: exit status {status}\n{out}")
    left = [s["StackName"] for s in client("cloudformation").describe_stacks()["Stacks"]]
    must(STACK not in left, "the stack is still there")
    must(not client("lambda").list_functions()["Functions"], "functions are left behind")
    must(s3.get_object(Bucket=bucket, Key="archives/kept.zip")["Body"].read() == b"kept", "the archive is gone")
    print(f"ok   make destroy: the stack is gone, {bucket} and its object stay")
    print("     stacks left:", ", ".join(left))


if __name__ == "__main__":
    main()
