"""The template beside the docs and the functions: each parameter is in docs/deployment.md with its default, each alarm has an
entry in the runbook (docs/operations.md) and names it, and each metric of the project's own that an alarm or the dashboard
reads is one that a function writes and that the table of metrics explains.

    python operations.py TEMPLATE
"""

import glob
import os
import re
import sys

from samcli.yamlhelper import yaml_parse

NAMESPACE = "ScenarioArchive"


def read(*path):
    with open(os.path.join(*path)) as f:
        return f.read()


def parameter_problems(template):
    parameters = yaml_parse(read(template))["Parameters"]
    explained = {}
    for names, default in re.findall(r"^\| (`[A-Z][^|]*) \| ([^|]*)\|", read(os.path.dirname(os.path.abspath(template)), "docs", "deployment.md"), re.M):
        names = re.findall(r"`(\w+)`", names)
        defaults = [d.strip("` ") for d in default.split(", ")] if "," in default else [default.strip("` ")] * len(names)
        explained |= dict(zip(names, defaults))
    yield from (f"{name} has no row in docs/deployment.md" for name in sorted(parameters.keys() - explained.keys()))
    yield from (f"docs/deployment.md explains {name}, which is no parameter" for name in sorted(explained.keys() - parameters.keys()))
    for name, default in explained.items():
        actual = str(parameters.get(name, {}).get("Default", ""))
        if name in parameters and default != actual:
            yield f"the default of {name} is {actual!r}, and docs/deployment.md says {default!r}"
    print(f"{len(parameters)} parameters")


def problems(template):
    root = os.path.dirname(os.path.abspath(template))
    text, runbook = read(template), read(root, "docs", "operations.md")
    entries = set(re.findall(r"^### (\w+)$", runbook, re.M))
    alarms = {
        name.removesuffix("Alarm"): resource["Properties"]["AlarmDescription"]
        for name, resource in yaml_parse(text)["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    yield from (f"{name}Alarm has no entry in docs/operations.md" for name in sorted(alarms.keys() - entries))
    yield from (f"docs/operations.md explains {name}, which is no alarm" for name in sorted(entries - alarms.keys()))
    yield from (
        f"{name}Alarm does not name its entry in the runbook"
        for name, description in sorted(alarms.items())
        if f"docs/operations.md#{name.lower()}" not in description
    )
    used = set(re.findall(rf"Namespace: {NAMESPACE},?\s+MetricName: (\w+)", text))
    used |= set(re.findall(rf'\["{NAMESPACE}", "(\w+)"', text))
    used |= set(re.findall(rf"\{{{NAMESPACE},[^}}]*\}} MetricName=\\?\"(\w+)", text))
    written = set()
    for path in glob.glob(f"{root}/functions/**/*.go", recursive=True) + glob.glob(f"{root}/internal/**/*.go", recursive=True):
        if not path.endswith("_test.go"):
            written |= set(re.findall(r'\b(?:Metric)?Of\("(\w+)"', read(path)))
    explained = set(re.findall(r"^\| `([A-Z]\w+)` \|", runbook, re.M))
    if not used or not written:
        yield "no metrics were found: this check does not see them any more"
    yield from (f"the template reads {m}, which no function writes" for m in sorted(used - written))
    yield from (f"{m} is written and not explained in docs/operations.md" for m in sorted(written - explained))
    yield from (f"docs/operations.md explains {m}, which no function writes" for m in sorted(explained - written))
    print(f"{len(alarms)} alarms, {len(used)} of {len(written)} metrics on the dashboard and in alarms")


if __name__ == "__main__":
    found = [*parameter_problems(sys.argv[1]), *problems(sys.argv[1])]
    if found:
        raise SystemExit("\n".join(found))
