"""What no tool of AWS checks of the state machines before they are deployed: that the definition files which the
template names exist, that each ${name} in them is substituted by the template, that nothing is substituted that they do
not name, that no partition is written out, and that every file in statemachine/ is deployed.

    python definitions.py TEMPLATE
"""

import glob
import os
import re
import sys

from samcli.yamlhelper import yaml_parse


def problems(path):
    with open(path) as f:
        template = f.read()
    for place in re.findall(r"^.*(?:arn:aws:|\.console\.aws\.).*$", template, re.M):
        yield f"the template names a partition: {place.strip()}"
    resources = yaml_parse(template)["Resources"]
    directory, deployed = os.path.dirname(os.path.abspath(path)), set()
    for name, resource in resources.items():
        if resource["Type"] != "AWS::Serverless::StateMachine":
            continue
        properties = resource["Properties"]
        definition = os.path.join(directory, properties["DefinitionUri"])
        deployed.add(definition)
        if not os.path.exists(definition):
            yield f"{name}: DefinitionUri names {properties['DefinitionUri']}, which does not exist"
            continue
        with open(definition) as f:
            text = f.read()
        used = set(re.findall(r"\$\{([^}]*)\}", text))
        if "arn:aws:" in text:
            yield f"{name}: {properties['DefinitionUri']} names a partition; GovCloud and China have others: write ${{Partition}}"
        given = set(properties.get("DefinitionSubstitutions", {}))
        yield from (f"{name}: ${{{n}}} is in the definition, and the template does not substitute it" for n in sorted(used - given))
        yield from (f"{name}: the template substitutes {n}, which is not in the definition" for n in sorted(given - used))
        print(f"{name}: {os.path.relpath(definition, directory)}, {len(used)} substitutions")
    for path in glob.glob(f"{directory}/statemachine/*.asl.json"):
        if path not in deployed:
            yield f"{os.path.relpath(path, directory)} is not deployed by the template"


if __name__ == "__main__":
    found = list(problems(sys.argv[1]))
    if found:
        raise SystemExit("\n".join(found))
