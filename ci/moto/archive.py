"""statemachine/archive.asl.json on moto's engine and on the project's own, with the answers of the functions written
down (statemachine/testdata/archive_cases.json): status, output, error, cause and the states passed must be the same, and
what the cases expect."""

import concurrent.futures
import json
import re
import sys

import engines
import lambda_endpoint

FUNCTIONS = {"LaunchFunctionArn": "launch", "PollFunctionArn": "poll", "TransferFunctionArn": "transfer"}
COMPARED = ("status", "path", "output", "error", "cause")


def run(engine, script, prefix, cases):
    """All cases at once."""
    def one(item):
        i, case = item
        script.expect(f"{prefix}-{i}", case["answers"])
        result = engine.result(engine.start("archive", f"{prefix}-{i}", case["input"]), timeout=300)
        # What Lambda's client adds to an error of the service (a request ID, a proxy) is each engine's own.
        result["cause"] = re.sub(r"(Status Code: \d+)[^)]*\)", r"\1)", result.get("cause") or "") or result.get("cause")
        return result
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, enumerate(cases)))


def main():
    with open("statemachine/testdata/archive_cases.json") as f:
        cases = json.load(f)
    arns = {k: f"arn:aws:lambda:us-east-1:000000000000:function:{v}" for k, v in FUNCTIONS.items()}
    machines = {"archive": engines.definition("statemachine/archive.asl.json", arns)}
    script = lambda_endpoint.Script()
    server = lambda_endpoint.serve(script)
    with engines.local(machines, server.server_port) as local, engines.moto(machines, server.server_port) as moto:
        ours = run(local, script, "local", cases)
        theirs = run(moto, script, "moto", cases)
    different = []
    for case, a, b in zip(cases, ours, theirs):
        problem = engines.compare(case["name"], a, b, {k: case[k] for k in COMPARED if k in case})
        print("ok  " if problem is None else "DIFF", case["name"], "-", a["status"], a.get("error") or "", flush=True)
        different += [problem] if problem else []
    if different:
        raise SystemExit("\n".join(different))
    print(f"{len(cases)} executions of archive.asl.json are the same on both engines")


if __name__ == "__main__":
    sys.exit(main())
