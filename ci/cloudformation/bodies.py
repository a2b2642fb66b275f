"""The OpenAPI documents that API Gateway would be given: the transformed template's, one for each combination of the
conditions that it depends on, with every function of CloudFormation resolved. Each must have the operations of the API's
own document, and no others.

    python bodies.py TRANSFORMED.json OPENAPI.yaml DIRECTORY
"""

import itertools
import json
import re
import sys

from samcli.yamlhelper import yaml_parse

from conditions import Conditions

CHOICES = {
    "iam": {}, "jwt": {"ApiJwtIssuer": "https://id.example.com", "ApiJwtAudience": "studio,tools"},
}, {
    "closed": {}, "cors": {"ApiCorsOrigins": "https://studio.example.com,https://intern.example.com"},
}
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012", "AWS::StackName": "stack"}


def conditions_in(node):
    """The names of the conditions in a part of the template."""
    if isinstance(node, list):
        return set().union(*map(conditions_in, node))
    if not isinstance(node, dict):
        return set()
    return set().union({node["Fn::If"][0]} if "Fn::If" in node else set(), *map(conditions_in, node.values()))


def resolved(node, template, values):
    """The node with each function replaced by a value of the right kind."""
    if isinstance(node, list):
        return [resolved(n, template, values) for n in node]
    if not isinstance(node, dict):
        return node
    if "Ref" in node:
        value = values.get(node["Ref"], node["Ref"])
        listed = template["Parameters"].get(node["Ref"], {}).get("Type") == "CommaDelimitedList"
        return value.split(",") if listed else value
    if "Fn::GetAtt" in node:
        return "arn:aws:lambda:eu-west-1:123456789012:function:" + node["Fn::GetAtt"][0]
    if "Fn::Sub" in node:
        return re.sub(r"\$\{([\w:]+)(?:\.(\w+))?\}", lambda m: resolved(
            {"Fn::GetAtt": [m[1], m[2]]} if m[2] else {"Ref": m[1]}, template, values), node["Fn::Sub"])
    function = next((k for k in node if k.startswith("Fn::")), None)
    if function:
        raise SystemExit(f"{function} in the API's body is not known here")
    return {k: resolved(v, template, values) for k, v in node.items()}


def operations(body):
    """Each path and method."""
    return {(path, method) for path, methods in body["paths"].items() for method in methods if method != "parameters"}


def main(path, document, directory):
    with open(path) as f:
        template = json.load(f)
    with open(document) as f:
        wanted = operations(yaml_parse(f.read()))
    defaults = {n: str(p.get("Default", "")) for n, p in template["Parameters"].items()}
    apis = {n: r for n, r in template["Resources"].items() if r["Type"] == "AWS::ApiGatewayV2::Api"}
    for (name, api), choice in itertools.product(apis.items(), itertools.product(*(c.items() for c in CHOICES))):
        if unknown := conditions_in(api["Properties"]["Body"]) - {"HasJwt", "HasCors"}:
            raise SystemExit(f"{name}: {', '.join(unknown)} makes variants that bodies.py does not")
        given = {k: v for _, parameters in choice for k, v in parameters.items()}
        body = Conditions(template, given).settle(api["Properties"]["Body"])
        body = resolved(body, template, PSEUDO | defaults | given)
        if different := operations(body) ^ wanted:
            raise SystemExit(f"{name} and {document} differ in {sorted(different)}")
        with open(f"{directory}/{name}-{'-'.join(n for n, _ in choice)}.json", "w") as f:
            json.dump(body, f, indent=1)
    if not apis:
        raise SystemExit("the template has no HTTP API")


if __name__ == "__main__":
    main(*sys.argv[1:])
