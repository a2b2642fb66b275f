"""The functions in containers, by AWS's own tools: `sam local invoke` of each with its event.json, `sam local
start-lambda` called by the AWS CLI, `sam local start-api` by curl, with the stand-in for Scenario and a real local S3
around them. Every tool's output is shown, and every answer is asserted.

    python ci/sam_local.py WORKDIR          (ci/sam-local.sh prepares what it needs)
"""

import contextlib
import glob
import json
import os
import re
import socket
import subprocess
import sys
import time
import zipfile

import services

WORK = os.path.abspath(sys.argv[1])
ARCHITECTURE = "arm64" if os.uname().machine in ("arm64", "aarch64") else "x86_64"
TEMPLATE = f"{WORK}/build-{ARCHITECTURE}/template.yaml"
LOCAL = ["--skip-pull-image", "--region", "us-east-1", "--parameter-overrides", f"Architecture={ARCHITECTURE}"]


INVOKED = set()


def step(text):
    print(f"\n--- {text}", flush=True)


def expect(condition, text, got):
    if not condition:
        raise SystemExit(f"sam local: {text}; got: {got}")
    print(f"ok: {text}", flush=True)


def show(command, **more):
    """Runs a command, shows it and what it says on stderr, and returns its stdout."""
    print("$", " ".join(command), flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=300, **more)
    print(re.sub(r"Signature=\w+", "Signature=...", done.stdout), flush=True)
    if done.returncode != 0:
        raise SystemExit(f"sam local: exit status {done.returncode}")
    return done.stdout


def logical_id(function):
    return function.capitalize() + "Function"


def invoke(function, event, name):
    """sam local invoke; the answer is the last line of stdout."""
    INVOKED.add(function)
    path = f"{WORK}/event-{name}.json"
    with open(path, "w") as f:
        json.dump(event, f)
    out = show(["sam", "local", "invoke", logical_id(function), "--template", TEMPLATE, "--event", path,
                "--env-vars", f"{WORK}/env.json", *LOCAL])
    return json.loads((out.strip().splitlines() or ["null"])[-1])


def archive_is_there(bucket_dir, output):
    path = os.path.join(bucket_dir, output["bucket"], output["key"])
    expect(os.path.getsize(path) == output["size"], f"{output['key']} is in S3 with {output['size']} bytes", output)
    with zipfile.ZipFile(path) as z:
        expect(z.testzip() is None and len(z.namelist()) == output["entries"], "its ZIP is whole", z.namelist())


def shipped_event(function):
    with open(f"functions/{function}/event.json") as f:
        return json.load(f)


def invoke_each(s3):
    """Each shipped event, then the same with the IDs that the steps before really gave."""
    step("sam local invoke: launch")
    launched = invoke("launch", shipped_event("launch"), "launch")
    expect(launched.get("job", {}).get("jobId"), "a job is launched", launched)
    expect(launched["destination"]["key"] == "characters/sample.zip", "the destination is the event's", launched)

    step("sam local invoke: poll")
    unknown = invoke("poll", shipped_event("poll"), "poll")
    expect(unknown.get("status") == "failure", "a job that Scenario does not know has failed", unknown)
    times = {"launchedAt": launched["launchedAt"], "deadline": launched["deadline"]}
    for _ in range(10):
        polled = invoke("poll", shipped_event("poll") | times | {"job": launched["job"]}, "poll-launched")
        if polled.get("status") != "running":
            break
        time.sleep(polled["waitSeconds"])
    expect(polled.get("status") == "success" and polled["archiveUrl"], "the launched job has an archive", "(hidden)")

    step("sam local invoke: transfer")
    gone = invoke("transfer", shipped_event("transfer"), "transfer")
    expect(gone.get("errorType") in ("ArchiveURLExpired", "SourceUnavailable"), "an archive that is not there is a named error", gone)
    moved = invoke("transfer", shipped_event("transfer") | {
        "job": launched["job"], "archiveUrl": polled["archiveUrl"],
        "destination": launched["destination"]}, "transfer-launched")
    expect(moved.get("finished") is True, "the transfer finished", moved)
    archive_is_there(s3.directory, moved["output"])
    invoke_unpack(s3, launched["job"], launched["destination"], moved["output"])


def invoke_unpack(s3, job, destination, archive):
    step("sam local invoke: unpack")
    other = invoke("unpack", shipped_event("unpack"), "unpack")
    expect("errorType" in other, "an archive that is not the one that was transferred is a named error", other)
    unpack = shipped_event("unpack")["destination"]["unpack"]
    done = invoke("unpack", shipped_event("unpack") | {
        "job": job, "archive": archive, "destination": destination | {"unpack": unpack}}, "unpack-transferred")
    expect(done.get("finished") is True, "the unpacking finished", done)
    found = os.listdir(os.path.join(s3.directory, archive["bucket"], unpack["prefix"]))
    expect(len(found) >= archive["entries"], f"{archive['entries']} files are objects", found)


def with_bucket(value, name):
    """The event with another bucket: the shipped ones name examples."""
    if isinstance(value, dict):
        return {k: name if k == "bucket" and isinstance(v, str) else with_bucket(v, name) for k, v in value.items()}
    return value


def invoke_batch(s3):
    step("sam local invoke: plan")
    plan = invoke("plan", shipped_event("plan"), "plan")
    expect(plan.get("archives") == 1 and plan.get("toDo") == 1, "two assets are planned as one archive", plan)
    expect(os.path.exists(os.path.join(s3.directory, plan["items"]["bucket"], plan["items"]["key"])), "its items are in S3", plan)
    step("sam local invoke: manifest")
    early = invoke("manifest", with_bucket(shipped_event("manifest"), "archives"), "manifest")
    expect("errorType" in early, "a manifest of results that are not there is a named error", early)


def put(s3, name, content, key):
    with open(f"{WORK}/{name}", "w") as f:
        json.dump(content, f)
    show(["aws", "s3", "cp", f"{WORK}/{name}", f"s3://archives/{key}", "--endpoint-url", s3.endpoint, "--ca-bundle", s3.ca, "--no-progress"])


def invoke_sync(s3):
    step("sam local invoke: changes")
    put(s3, "sync.json", {"select": {}}, "syncs/heroes.json")
    chunk = invoke("changes", shipped_event("changes"), "changes")
    listed = chunk.get("batch", {}).get("input", {}).get("list", {}).get("key", "none")
    expect(chunk.get("next") == "batch" and os.path.exists(os.path.join(s3.directory, "archives", listed)), "what is to be fetched is listed in S3", chunk)
    step("sam local invoke: synced")
    other = invoke("synced", shipped_event("synced"), "synced")
    expect(other.get("next") == "changes", "a batch of another run is not recorded: what there is to do is looked up again", other)


def invoke_api():
    step("sam local invoke: api")
    answer = invoke("api", shipped_event("api"), "api")
    expect(answer.get("statusCode") == 202, "the event's request is taken", answer)


def invoke_inbox(s3):
    step("sam local invoke: inbox")
    event = shipped_event("inbox")
    event["detail"]["bucket"]["name"] = "archives"
    event["detail"]["object"].pop("version-id", None)
    event["detail"]["object"].pop("etag", None)
    event["detail"]["object"]["key"] = "requests/heroes.json"
    put(s3, "heroes.json", {"query": {"assetIds": ["asset_hero"]}}, "requests/heroes.json")
    invoke("inbox", event, "inbox")
    note = os.path.join(s3.directory, "archives", "requests", "heroes.status.json")
    expect(os.path.exists(note), "the note beside the request names the execution", os.listdir(os.path.dirname(note)))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until_open(port, process, name):
    for _ in range(1200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise SystemExit(f"sam local: {name} ended with {process.returncode}")
        time.sleep(0.1)
    raise SystemExit(f"sam local: {name} is not ready after two minutes")


@contextlib.contextmanager
def serving(*command):
    """One of SAM's servers, until the block ends."""
    port = free_port()
    command = ["sam", "local", *command, "--port", str(port), "--template", TEMPLATE,
               "--env-vars", f"{WORK}/env.json", "--warm-containers", "LAZY", *LOCAL]
    print("$", " ".join(command), "&", flush=True)
    process = subprocess.Popen(command)
    try:
        wait_until_open(port, process, command[2])
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def by_aws_cli(endpoint, function, event, name):
    with open(f"{WORK}/cli-{name}.json", "w") as f:
        json.dump(event, f)
    show(["aws", "lambda", "invoke", "--endpoint-url", endpoint, "--function-name", logical_id(function),
          "--payload", f"file://{WORK}/cli-{name}.json", f"{WORK}/cli-{name}.out"])
    with open(f"{WORK}/cli-{name}.out") as f:
        return json.load(f)


def start_lambda():
    step("sam local start-lambda, called by the AWS CLI")
    with serving("start-lambda") as endpoint:
        launched = by_aws_cli(endpoint, "launch", shipped_event("launch"), "launch")
        expect(launched.get("job", {}).get("jobId"), "a job is launched", launched)
        refused = by_aws_cli(endpoint, "launch", {"request": {"query": {}}}, "refused")
        expect(refused.get("errorType") == "RequestInvalid", "an empty query is RequestInvalid", refused)


def curl(*arguments):
    out = show(["curl", "--silent", "--show-error", "--max-time", "120", "--write-out", "\n%{http_code}", *arguments])
    body, _, status = out.rpartition("\n")
    return int(status), json.loads(body)


def start_api(s3, stepfunctions):
    """POST, then GET until the archive is there. The executions run on the local Step Functions endpoint, which calls
    the functions in SAM's containers."""
    step("sam local start-api, called by curl")
    with serving("start-lambda") as functions, stepfunctions(functions), serving("start-api") as api:
        invoke_api()
        invoke_inbox(s3)
        status, posted = curl("-X", "POST", f"{api}/archives", "-H", "Content-Type: application/json",
                              "-d", json.dumps({"query": {"assetIds": ["asset_hero", "asset_castle"]}}))
        expect(status == 202 and posted.get("id"), "POST /archives: 202 with an ID", (status, posted))
        for _ in range(60):
            status, archive = curl(f"{api}/archives/{posted['id']}")
            if status != 200 or archive.get("status") != "running":
                break
            time.sleep(1)
        expect(status == 200 and archive["status"] == "succeeded", "GET /archives/{id}: succeeded", (status, archive))
        archive_is_there(s3.directory, archive["output"])
        status, problem = curl("-X", "POST", f"{api}/archives", "-H", "Content-Type: application/json", "-d", "{}")
        expect(status in (400, 422) and "title" in problem, "an empty request is a problem+json", (status, problem))


def main():
    with services.started(WORK) as running:
        invoke_each(running.s3)
        invoke_batch(running.s3)
        invoke_sync(running.s3)
        start_lambda()
        start_api(running.s3, running.stepfunctions)
    missed = {os.path.basename(os.path.dirname(p)) for p in glob.glob("functions/*/event.json")} - INVOKED
    expect(not missed, "every function with an event.json was invoked with it", missed)


if __name__ == "__main__":
    main()
