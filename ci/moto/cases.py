"""Small state machines for the differential test: each name with a definition and an input. They are made, not written
down: every choice operator that the interpreter knows with values of every type, its functions with good and bad
arguments, paths and ends."""

import itertools
import json

VALUES = {
    "zero": 0, "one": 1, "float": 1.5, "negative": -2, "text": "b", "number as text": "1", "empty": "", "true": True,
    "false": False, "null": None, "list": [1, 2], "object": {"a": 1},
}
TESTS = {"IsPresent": (True, False), "IsString": (True, False), "BooleanEquals": (True, False), "StringEquals": ("b", ""),
         "NumericEquals": (1, 1.5), "NumericGreaterThan": (0, -3)}


def choice(rule):
    return {"StartAt": "Choose", "States": {
        "Choose": {"Type": "Choice", "Choices": [rule | {"Next": "Yes"}], "Default": "No"},
        "Yes": {"Type": "Pass", "End": True}, "No": {"Type": "Pass", "End": True}}}


def passing(**fields):
    return {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True} | fields}}


def choices():
    for (kind, value), (test, wanted) in itertools.product(VALUES.items(), TESTS.items()):
        for want in wanted:
            yield f"{test} {want} of {kind}", choice({"Variable": "$.v", test: want}), {"v": value}
    yield "IsPresent of nothing", choice({"Variable": "$.missing", "IsPresent": True}), {"v": 1}
    yield "IsPresent false of nothing", choice({"Variable": "$.missing", "IsPresent": False}), {"v": 1}
    for pattern, text in itertools.product(("a*", "*a", "*b*", "*", "a*b*c", "{*\"x\":*}", "a.c", ""),
                                           ("abc", "a*c", "", "axbxc", "{\"x\":1}", "a\nc")):
        yield f"StringMatches {pattern!r} of {text!r}", choice({"Variable": "$.v", "StringMatches": pattern}), {"v": text}
    yes, no = {"Variable": "$.v", "NumericEquals": 1}, {"Variable": "$.v", "NumericEquals": 2}
    for name, rule in {"And": {"And": [yes, no]}, "And of true": {"And": [yes, yes]}, "nested": {"And": [yes, {"And": [yes, no]}]},
                       "And stops at the first false one": {"And": [{"Variable": "$.x", "IsPresent": True},
                                                                    {"Variable": "$.x", "NumericEquals": 1}]}}.items():
        yield name, choice(rule), {"v": 1}
    yield "no choice and no default", {"StartAt": "C", "States": {
        "C": {"Type": "Choice", "Choices": [no | {"Next": "E"}]}, "E": {"Type": "Succeed"}}}, {"v": 1}


FUNCTIONS = ["States.StringToJson($.j)", "States.StringToJson($.s)", "States.StringToJson($.n)", "States.JsonToString($.o)",
             "States.JsonToString($.l)", "States.JsonToString($.s)", "States.MathAdd($.n, 2)", "States.MathAdd(1, -1)",
             "States.MathAdd($.s, 1)"]
PATHS = ["$", "$.o", "$.o.b.c", "$.missing", "$.o.a.b", "$.l"]
INPUT = {"n": 1, "s": "text", "l": [1, 2, 3], "o": {"a": 1, "b": {"c": 2}}, "j": "{\"a\": [1, {\"b\": null}]}"}


def functions():
    for call in FUNCTIONS:
        yield call, passing(Parameters={"r.$": call}), INPUT


def paths():
    for path in PATHS:
        yield f"Parameters {path}", passing(Parameters={"r.$": path}), INPUT
        yield f"OutputPath {path}", passing(OutputPath=path), INPUT
    for path in ("$", "$.new", "$.o.new.deep", "$.o", "$.l", None):
        yield f"ResultPath {path}", passing(Parameters={"x": 1}, ResultPath=path), INPUT
    yield "context", passing(Parameters={"n.$": "$$.Execution.Name", "i.$": "$$.Execution.Input.n"}), INPUT
    yield "literal beside path", passing(Parameters={"a": "$.n", "b": [1, {"c.$": "$.n"}]}), INPUT


def ends():
    yield "Fail", {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "c"}}}, {}
    yield "Fail by path", {"StartAt": "F", "States": {"F": {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "$.c"}}}, {"e": "E", "c": "c"}
    yield ("Fail by function", {"StartAt": "F", "States": {"F": {"Type": "Fail", "ErrorPath": "$.e",
           "CausePath": "States.JsonToString($)"}}}, {"e": "E"})
    yield "Succeed", {"StartAt": "S", "States": {"S": {"Type": "Succeed", "OutputPath": "$.a"}}}, {"a": [1]}
    yield "Wait", {"StartAt": "W", "States": {"W": {"Type": "Wait", "SecondsPath": "$.n", "End": True}}}, INPUT


def all_cases():
    """Case by case: name, definition as text, input."""
    for name, definition, event in itertools.chain(choices(), functions(), paths(), ends()):
        yield name, json.dumps(definition), event
