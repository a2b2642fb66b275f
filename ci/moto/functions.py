"""The real functions, the stand-in for Scenario and a real S3 under both engines: how each execution ends, what it puts
out and the states it passes (polls counted once) must be the same."""

import contextlib
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, "ci")

import engines  # noqa: E402
import lambda_endpoint  # noqa: E402
import runtime  # noqa: E402
import services  # noqa: E402

FUNCTIONS = ("launch", "poll", "transfer", "unpack")


def request(asset, **more):
    return {"query": {"assetIds": [asset]}} | more


CASES = [
    ("success", request("asset_hero"), "SUCCEEDED", None),
    ("failure", request("asset_fail"), "FAILED", "JobFailed"),
    ("cancel", request("asset_cancel"), "FAILED", "JobCanceled"),
    ("deadline", request("asset_stuck", timeoutSeconds=60), "FAILED", "JobTimedOut"),
    ("every URL has expired", request("asset_expired"), "FAILED", "ArchiveURLExpired"),
    ("a broken archive", request("asset_corrupt"), "FAILED", "ArchiveCorrupt"),
    ("an unknown asset", request("asset_missing"), "FAILED", None),
    ("an empty query", {"query": {}}, "FAILED", "RequestInvalid"),
    ("unpacked", request("asset_unpacked", unpack={"keepArchive": False}), "SUCCEEDED", None),
    ("the transfer is killed once", request("asset_killed"), "SUCCEEDED", None),
]


class Functions:
    """Calls the binaries. A transfer of an execution named …-killed… is killed at its first call; a deadline is brought
    near, since the engines' waits are short and the functions' clock is real."""

    def __init__(self, binaries):
        self._binaries, self._killed = binaries, set()

    def __call__(self, function, event):
        name = event["execution"]["name"]
        kill = function == "transfer" and "killed" in name and name not in self._killed
        if kill:
            self._killed.add(name)
        if function == "poll" and "deadline" in name:
            event = event | {"deadline": event["launchedAt"]}
        return self._binaries[function].invoke(event, kill)


@contextlib.contextmanager
def functions(work):
    with contextlib.ExitStack() as stack:
        scenario = stack.enter_context(services.process([f"{work}/scenariotest", "-addr", "127.0.0.1:0"]))
        s3 = json.loads(stack.enter_context(services.process([f"{work}/local", "s3", "-dir", f"{work}/s3", "-bucket", "archives"])))
        env = {"BUCKET": "archives", "SCENARIO_BASE_URL": scenario, "SCENARIO_API_KEY": "local-key",
               "SCENARIO_API_SECRET": "local-secret", "AWS_ENDPOINT_URL_S3": s3["endpoint"], "AWS_CA_BUNDLE": s3["caFile"],
               "AWS_ACCESS_KEY_ID": s3["accessKeyId"], "AWS_SECRET_ACCESS_KEY": s3["secretAccessKey"],
               "AWS_REGION": s3["region"], "SOURCE_ALLOW_LOOPBACK_HTTP": "true"}
        log = stack.enter_context(open(f"{work}/functions.log", "a"))
        binaries = {}
        for name in FUNCTIONS:
            subprocess.run(["go", "build", "-tags", "lambda.norpc", "-o", f"{work}/{name}", f"./functions/{name}"], check=True)
            binaries[name] = runtime.Function(name, f"{work}/{name}", env, log)
            stack.callback(binaries[name].stop)
        yield Functions(binaries)


def settled(result):
    """Without what differs from run to run: IDs, times, the number of polls."""
    text = re.sub(r"job_[A-Z0-9]+", "job_ID", json.dumps(result))
    text = re.sub(r'still \\"[a-z-]+\\" at \d+ %', "still", text)
    text = re.sub(r"(RequestId: )[0-9a-f-]+|http://[^\"\\ ]+|\d+(\.\d+)?(ms|µs|s)\b", r"\1", text)
    result = json.loads(text)
    result["path"] = re.sub(r"(Wait Poll CheckJob ?)+", r"\1", " ".join(result["path"]))
    for field in ("key", "etag"):
        result.get("output", {}).pop(field, None)
    return result


def run(engine):
    return [settled(engine.result(engine.start("archive", f"{engine.name}-{name.replace(' ', '-')}", event), 300))
            for name, event, _, _ in CASES]


def main():
    work = os.environ["WORK"]
    subprocess.run(["go", "build", "-o", f"{work}/scenariotest", "./scenario/scenariotest/cmd/scenariotest"], check=True)
    arns = {f"{f.capitalize()}FunctionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{f}" for f in FUNCTIONS}
    machines = {"archive": engines.definition("statemachine/archive.asl.json", arns)}
    with functions(work) as invoke:
        server = lambda_endpoint.serve(invoke)
        with engines.local(machines, server.server_port) as local, engines.moto(machines, server.server_port) as moto:
            ours, theirs = run(local), run(moto)
    problems = []
    for (name, _, status, error), a, b in zip(CASES, ours, theirs):
        expected = {"status": status} | ({"error": error} if error else {})
        problem = engines.compare(name, a, b, expected)
        print("ok  " if problem is None else "DIFF", name, "-", a["status"], a.get("error") or a.get("output"), flush=True)
        problems += [problem] if problem else []
    if problems:
        raise SystemExit("\n".join(problems))
    print(f"{len(CASES)} executions with the real functions are the same on both engines")


if __name__ == "__main__":
    sys.exit(main())
