"""moto's server, with CloudFormation's macro AWS::Serverless-2016-10-31 where CloudFormation has it: a template that names
it is expanded by AWS's own translator as a stack or a change set receives it, before moto parses it.

    python server.py PORT

What moto does not make (the types it knows no model of) is taken out, and the log says what that was.
"""

import copy
import json
import sys

from moto.cloudformation.models import CloudFormationBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from samcli.yamlhelper import yaml_parse
from werkzeug.serving import run_simple

import deploy
import transform
from conditions import Conditions

MACRO = "AWS::Serverless-2016-10-31"


def expanded(text, parameters):
    """The template as moto can take it; what names no macro stays as it is."""
    template = yaml_parse(text) if isinstance(text, str) else copy.deepcopy(text)
    if template.get("Transform") != MACRO:
        return text
    template = transform.translate(template)
    template.pop("Transform", None)
    types = deploy.unsupported(template)
    left_out = sorted(n for n, r in template["Resources"].items() if r["Type"] in types)
    print("moto does not make:", ", ".join(left_out), flush=True)
    template = deploy.without(template, set(left_out))
    given = {k: v for k, v in parameters.items() if v is not None}
    return json.dumps(template | {"Resources": Conditions(template, given).settle(template["Resources"])})


def expanding(method):
    def with_macro(self, *args, template, parameters, **more):
        return method(self, *args, template=expanded(template, parameters), parameters=parameters, **more)
    return with_macro


def executed(method):
    """moto gives a stack that a change set made no outputs, and none of the change set's parameters: it has them here."""
    def with_outputs(self, change_set_name, stack_name=None):
        change_set = next(c for i, c in self.change_sets.items() if change_set_name in (i, c.change_set_name))
        method(self, change_set_name, stack_name)
        stack = change_set.stack
        stack.parameters = change_set.parameters
        stack._parse_template()
        stack.output_map = stack._create_output_map()
    return with_outputs


def main(port):
    for name in ("create_stack", "create_change_set"):
        setattr(CloudFormationBackend, name, expanding(getattr(CloudFormationBackend, name)))
    CloudFormationBackend.execute_change_set = executed(CloudFormationBackend.execute_change_set)
    run_simple("127.0.0.1", port, DomainDispatcherApplication(create_backend_app), threaded=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
