"""Small state machines for the differential test: each name with a definition and an input. They are made, not written
down: every choice operator with values of every type, intrinsic functions with good and bad arguments, paths."""

import itertools
import json

VALUES = {
    "zero": 0, "one": 1, "float": 1.5, "negative": -2, "text": "b", "number as text": "1", "empty": "", "true": True,
    "false": False, "null": None, "time": "2026-01-02T03:04:05Z", "later": "2026-01-02T03:04:06.5Z",
    "time elsewhere": "2026-01-02T05:04:05+02:00", "list": [1, 2], "object": {"a": 1},
}
TESTS = {"IsNull": (True, False), "IsPresent": (True, False), "IsNumeric": (True, False), "IsString": (True, False),
         "IsBoolean": (True, False), "IsTimestamp": (True, False)}
OPERANDS = {"String": "b", "Numeric": 1, "Timestamp": "2026-01-02T03:04:05Z"}
COMPARISONS = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")


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
    for type_, operand in OPERANDS.items():
        for kind, value in VALUES.items():
            for comparison in COMPARISONS:
                yield f"{type_}{comparison} of {kind}", choice({"Variable": "$.v", type_ + comparison: operand}), {"v": value}
        for comparison in COMPARISONS:
            yield (f"{type_}{comparison}Path", choice({"Variable": "$.v", f"{type_}{comparison}Path": "$.w"}),
                   {"v": operand, "w": operand})
    for kind, value in VALUES.items():
        yield f"BooleanEquals of {kind}", choice({"Variable": "$.v", "BooleanEquals": True}), {"v": value}
    for pattern, text in itertools.product(("a*", "*a", "*b*", "a\\\\*c", "*", "a*b*c", "{*\"x\":*}", "a?c", "a.c", ""),
                                           ("abc", "a*c", "", "axbxc", "{\"x\":1}", "a\nc")):
        yield f"StringMatches {pattern!r} of {text!r}", choice({"Variable": "$.v", "StringMatches": pattern}), {"v": text}
    yes, no = {"Variable": "$.v", "NumericEquals": 1}, {"Variable": "$.v", "NumericEquals": 2}
    for name, rule in {"And": {"And": [yes, no]}, "And of true": {"And": [yes, yes]}, "Or": {"Or": [no, yes]},
                       "Or of false": {"Or": [no, no]}, "Not": {"Not": no}, "Not of true": {"Not": yes},
                       "nested": {"And": [{"Or": [no, yes]}, {"Not": {"And": [yes, no]}}]},
                       "And stops at the first false one": {"And": [{"Variable": "$.x", "IsPresent": True},
                                                                    {"Variable": "$.x", "NumericEquals": 1}]}}.items():
        yield name, choice(rule), {"v": 1}
    yield "no choice and no default", {"StartAt": "C", "States": {
        "C": {"Type": "Choice", "Choices": [no | {"Next": "E"}]}, "E": {"Type": "Succeed"}}}, {"v": 1}


INTRINSICS = [
    "States.Format('a')", "States.Format('{}-{}', $.n, $.s)", "States.Format('{}', $.l)", "States.Format('{}', $.o)",
    "States.Format('{}', true)", "States.Format('{}', null)", "States.Format('it\\'s \\{{}\\}', 1)", "States.Format('{} {}', 1)",
    "States.StringToJson($.j)", "States.StringToJson('[1, 2.5, null]')", "States.StringToJson('no')", "States.StringToJson('\"x\"')",
    "States.JsonToString($.o)", "States.JsonToString($.l)", "States.JsonToString($.s)", "States.JsonToString($.unicode)",
    "States.Array()", "States.Array(1, 'a', $.o, null, true)", "States.ArrayPartition($.l, 2)", "States.ArrayPartition($.l, 0)",
    "States.ArrayPartition($.l, 99)", "States.ArrayContains($.l, 2)", "States.ArrayContains($.l, '2')", "States.ArrayContains($.l, 9)",
    "States.ArrayRange(1, 9, 2)", "States.ArrayRange(9, 1, -3)", "States.ArrayRange(1, 5000, 1)", "States.ArrayRange(1, 3, 0)",
    "States.ArrayGetItem($.l, 0)", "States.ArrayGetItem($.l, 9)", "States.ArrayLength($.l)", "States.ArrayLength(States.Array())",
    "States.ArrayLength($.s)", "States.ArrayUnique($.twice)", "States.Base64Encode('abc')", "States.Base64Encode('')",
    "States.Base64Decode('YWJj')", "States.Base64Decode('!')", "States.Hash('a', 'SHA-256')", "States.Hash('a', 'MD5')",
    "States.Hash('a', 'SHA-1')", "States.Hash('a', 'SHA-384')", "States.Hash('a', 'SHA-512')", "States.Hash('a', 'CRC')",
    "States.JsonMerge($.o, $.p, false)", "States.JsonMerge($.o, $.p, true)", "States.MathAdd($.n, 2)", "States.MathAdd(1, -1)",
    "States.MathAdd($.s, 1)", "States.StringSplit('a,b,,c', ',')", "States.StringSplit('a.b+c', '.+')", "States.StringSplit('', ',')",
    "States.StringSplit($.s, ',')", "States.ArrayGetItem(States.StringSplit('a,b', ','), 1)",
    "States.Format('{}', States.MathAdd(States.ArrayLength($.l), 1))", "States.JsonToString(States.StringToJson($.j))",
]
PATHS = ["$", "$.o", "$.o.a", "$['o']['a']", "$.l[0]", "$.l[-1]", "$.l[1:]", "$.l[0,2]", "$.l[*]", "$.deep[*].x", "$..x",
         "$.deep[?(@.x>1)]", "$.deep[?(@.x==1)].y", "$.missing", "$.l[9]", "$.o.a.b", "$.unicode", "$.nothing", "$.deep[0].y"]
INPUT = {"n": 1, "s": "text", "l": [1, 2, 3], "o": {"a": 1, "b": {"c": 2}}, "p": {"b": {"d": 3}, "e": 4}, "j": "{\"a\": [1, {\"b\": null}]}",
         "twice": [1, 2, 1, "1", "a", "a"], "unicode": "é \U0001f600", "nothing": None, "deep": [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]}


def intrinsics():
    for call in INTRINSICS:
        yield call, passing(Parameters={"r.$": call}), INPUT


def paths():
    for path in PATHS:
        yield f"Parameters {path}", passing(Parameters={"r.$": path}), INPUT
        yield f"InputPath {path}", passing(InputPath=path), INPUT
        yield f"OutputPath {path}", passing(OutputPath=path), INPUT
    for path in ("$", "$.new", "$.o.new.deep", "$.o", "$.l", None):
        yield f"ResultPath {path}", passing(Result={"x": 1}, ResultPath=path), INPUT
    yield "InputPath null", passing(InputPath=None), INPUT
    yield "OutputPath null", passing(OutputPath=None), INPUT
    yield "context", passing(Parameters={"n.$": "$$.Execution.Name", "s.$": "$$.State.Name", "m.$": "$$.StateMachine.Name"}), INPUT
    yield "literal beside path", passing(Parameters={"a": "$.n", "b": [1, {"c.$": "$.n"}]}), INPUT


def ends():
    yield "Fail", {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "c"}}}, {}
    yield "Fail by path", {"StartAt": "F", "States": {"F": {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "$.c"}}}, {"e": "E", "c": "c"}
    yield ("Fail by intrinsic", {"StartAt": "F", "States": {"F": {"Type": "Fail", "ErrorPath": "States.Format('{}x', $.e)",
           "CausePath": "States.JsonToString($)"}}}, {"e": "E"})
    yield "Succeed", {"StartAt": "S", "States": {"S": {"Type": "Succeed", "OutputPath": "$.a"}}}, {"a": [1]}
    yield ("Map", {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemsPath": "$.l", "MaxConcurrency": 1, "End": True,
           "ItemSelector": {"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index"},
           "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}}}}, INPUT)
    yield "Wait", {"StartAt": "W", "States": {"W": {"Type": "Wait", "SecondsPath": "$.n", "End": True}}}, INPUT


def all_cases():
    """Case by case: name, definition as text, input."""
    for name, definition, event in itertools.chain(choices(), intrinsics(), paths(), ends()):
        yield name, json.dumps(definition), event
