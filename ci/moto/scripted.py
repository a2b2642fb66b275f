"""The state machines of statemachine/ on moto's engine and on the project's own, with the answers of the functions written
down (statemachine/testdata/*_cases.json): status, output, error, cause and the states passed must be the same, and what
the cases expect.

archive.asl.json runs as it is. batch.asl.json, which moto reads, is split, mechanically, so that both engines have the
same answers: all states around the Distributed Map, with one call in the map's place, and the map's processor as a machine
of its own, with one call in the place of its nested execution. Two gaps of moto's are asserted to be there still: its
context object has no RedriveCount, and it takes no error whose name begins with "States." from the call in the nested
execution's place."""

import concurrent.futures
import json
import re
import sys

import engines
import lambda_endpoint

COMPARED = ("status", "path", "output", "error", "cause")
ARCHIVE, BATCH = "statemachine/archive.asl.json", "statemachine/batch.asl.json"
EXECUTION = {"id.$": "$$.Execution.Id", "name.$": "$$.Execution.Name", "startTime.$": "$$.Execution.StartTime"}
ARNS = {f"{f.title()}FunctionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{f}"
        for f in ("launch", "poll", "transfer", "unpack", "plan", "manifest")}
ARNS["ArchiveStateMachineArn"] = "arn:aws:states:us-east-1:000000000000:stateMachine:archive"


def call(function, payload):
    """A call of a function whose answers the cases write down."""
    return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": function, "Payload": payload | {"execution": EXECUTION}}}


def around_the_map():
    whole = json.loads(engines.definition(BATCH, ARNS))
    archives = whole["States"]["Archives"]
    kept = {k: v for k, v in archives.items() if k in ("ResultPath", "Catch", "Next", "End")}
    whole["States"]["Archives"] = call("map", {"plan.$": "$.plan"}) | kept
    return json.dumps(whole).replace('"redriveCount.$": "$$.Execution.RedriveCount"', '"redriveCount": 0')


def inside_the_map():
    processor = json.loads(engines.definition(BATCH, ARNS))["States"]["Archives"]["ItemProcessor"]
    del processor["ProcessorConfig"]
    nested = processor["States"]["Archive"]
    nested |= call("archive", {"start": nested["Parameters"]})
    nested["ResultSelector"] = {"output.$": "$.Payload.Output"}
    return json.dumps(processor)


def run(engine, machine, script, cases):
    """All cases at once."""
    def one(item):
        i, case = item
        name = f"{engine.name}-{machine}-{i}"
        script.expect(name, case["answers"])
        result = engine.result(engine.start(machine, name, case["input"]), timeout=300)
        result["cause"] = compact(result.get("cause"))
        # What Lambda's client adds to an error of the service (a request ID, a proxy) is each engine's own.
        result["cause"] = re.sub(r"(Status Code: \d+)[^)]*\)", r"\1)", result.get("cause") or "") or result.get("cause")
        return result
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, enumerate(cases)))


def compact(cause):
    """A cause that is a function's answer, as both would write it: moto encodes JSON again."""
    try:
        return json.dumps(json.loads(cause))
    except (TypeError, ValueError):
        return cause


REFUSAL = "Custom Error Names MUST NOT begin with the prefix 'States.'"


def beyond_moto(case):
    """Whether a call answers an error of the map's or of a nested execution's, which moto does not take from a call."""
    answers = [a for answers in case["answers"].values() for a in answers]
    return any(a.get("error", {}).get("errorType", "").startswith("States.") for a in answers)


def judge(name, case, a, b):
    if beyond_moto(case) and name != "archive":
        if REFUSAL not in (b.get("cause") or ""):
            raise SystemExit(f"moto takes it now, compare it: {case['name']}: {b}")
        print("gap ", f"{name}: {case['name']} - moto: {b['cause']}", flush=True)
        b = a
    problem = engines.compare(case["name"], a, b, {k: case[k] for k in COMPARED if k in case})
    if problem or a is not b:
        print("ok  " if problem is None else "DIFF", f"{name}: {case['name']} - {a['status']}", a.get("error") or "", flush=True)
    return problem


def check_gaps(engine):
    asking = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"n.$": "$$.Execution.RedriveCount"}, "End": True}}}
    arn = engine.sfn.create_state_machine(name="redrive", definition=json.dumps(asking), roleArn=engines.ROLE)["stateMachineArn"]
    answer = engine.result(engine.sfn.start_execution(stateMachineArn=arn, name="redrive", input="{}")["executionArn"])
    if answer["status"] != "FAILED" or "RedriveCount" not in answer["cause"]:
        raise SystemExit(f"moto knows $$.Execution.RedriveCount now: leave it in the definition ({answer})")
    print("moto has no $$.Execution.RedriveCount; 0 stands in its place")
    engine.sfn.create_state_machine(name="whole", definition=engines.definition(BATCH, ARNS), roleArn=engines.ROLE)
    print("moto reads batch.asl.json whole")


def main():
    machines = {"archive": engines.definition(ARCHIVE, ARNS), "batch": around_the_map(), "batch_child": inside_the_map()}
    cases = {}
    for name in machines:
        with open(f"statemachine/testdata/{name}_cases.json") as f:
            cases[name] = json.load(f)
    script = lambda_endpoint.Script()
    server = lambda_endpoint.serve(script)
    different = []
    with engines.local(machines, server.server_port) as local, engines.moto(machines, server.server_port) as moto:
        check_gaps(moto)
        for name in machines:
            for case, a, b in zip(cases[name], run(local, name, script, cases[name]), run(moto, name, script, cases[name])):
                problem = judge(name, case, a, b)
                different += [problem] if problem else []
    if different:
        raise SystemExit("\n".join(different))
    for name in machines:
        compared = sum(name == "archive" or not beyond_moto(case) for case in cases[name])
        print(f"{compared} executions of {name} are the same on both engines")


if __name__ == "__main__":
    sys.exit(main())
