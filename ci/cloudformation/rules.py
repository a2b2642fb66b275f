"""The template's EventBridge rules, with events that they must match and events that they must not, for ci/java/Rules.java.
Every rule must have both.

    python rules.py TRANSFORMED.json > QUESTIONS.json
"""

import json
import sys

from bodies import PSEUDO, resolved
from conditions import Conditions

MACHINES = "ArchiveStateMachine", "BatchStateMachine"
ON = {"NotificationEmail": "a@example.com"}
BATCH = '{"query":{"assetIds":["a"]},"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID":"arn:aws:states:x"}'


def put(key, bucket="Bucket"):
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": {"bucket": {"name": bucket}, "object": {"key": key}}}


def end(machine, status, **detail):
    detail = {"stateMachineArn": machine, "status": status, "input": '{"query":{"assetIds":["a"]}}', "inputDetails": {"included": True}} | detail
    return {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}


def ends(status, other):
    """An archive that was started by itself and a batch as a whole are one message each."""
    archive, batch = MACHINES
    return ({"an archive": end(archive, status), "a batch": end(batch, status),
             "an input too long for an event": end(archive, status, input=None, inputDetails={"included": False})},
            {"an archive of a batch": end(archive, status, input=BATCH), "another status": end(archive, other),
             "another machine": end("other", status), "a start": end(archive, "RUNNING")})


CASES = {
    "InboxRule": (
        {k: put(k) for k in ("requests/a.json", "requests/a/b.JSONL", "requests/a.zip", "requests/a.status.json", "syncs/a.json")},
        {k: put(k) for k in ("a.json", "archives/requests/a.json", "batches/a")} | {"another bucket": put("requests/a.json", "other")}),
    "EndsRule": (
        {f"{m} {s}": end(m, s) for m in MACHINES for s in ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")},
        {"a start": end(MACHINES[0], "RUNNING"), "another machine": end("other", "FAILED")}),
    "SucceededRule": ends("SUCCEEDED", "FAILED"),
    "FailedRule": ends("ABORTED", "SUCCEEDED"),
}


def main(path):
    with open(path) as f:
        template = json.load(f)
    defaults = {n: str(p.get("Default", "")) for n, p in template["Parameters"].items()}
    conditions = Conditions(template, ON)
    rules = {n: r for n, r in template["Resources"].items() if r["Type"] == "AWS::Events::Rule"}
    if different := set(rules) ^ set(CASES):
        raise SystemExit(f"rules without questions, or questions without a rule: {', '.join(sorted(different))}")
    questions = []
    for name, rule in rules.items():
        pattern = resolved(conditions.settle(rule["Properties"]["EventPattern"]), template, PSEUDO | defaults | ON)
        for matches, events in zip((True, False), CASES[name]):
            questions += [{"rule": name, "pattern": pattern, "case": case, "event": event, "matches": matches} for case, event in events.items()]
    json.dump(questions, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
