"""What AWS makes of the template: the SAM transform, run by AWS's own translator. Prints the CloudFormation template
as JSON; its definitions are given as they are in their files, with the substitutions beside them, as `sam package`
uploads them.

    python transform.py TEMPLATE
"""

import json
import os
import sys

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.translator import Translator


class NoPolicies(ManagedPolicyLoader):
    """The template names every policy it needs: AWS's list of managed ones is not asked for."""

    def __init__(self):
        super().__init__(None)

    def load(self):
        return {}


def uploaded(template):
    """Code and definitions stand in S3 by the time that AWS sees the template."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = {"Bucket": "artifacts", "Key": name}
        if resource["Type"] == "AWS::Serverless::StateMachine":
            with open(os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), properties.pop("DefinitionUri"))) as f:
                properties["Definition"] = json.load(f)
    template.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    return template


def translate(template):
    """The template after the transform; its code and definitions must be in S3 or in the template."""
    translator = Translator({}, Parser(), boto_session=boto3.session.Session(region_name="us-east-1"))
    return translator.translate(template, {})


if __name__ == "__main__":
    try:
        with open(sys.argv[1]) as f:
            translated = translate(uploaded(yaml_parse(f.read())))
    except InvalidDocumentException as e:
        raise SystemExit("the SAM transform refuses the template:\n" + "\n".join(c.message for c in e.causes))
    json.dump(translated, sys.stdout, indent=1)
