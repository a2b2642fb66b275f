"""MiniStack, somebody else's AWS, with patches for what it lacks. Each gap is looked for before it is
filled: one that MiniStack has closed fails the start, so that what fills it goes.

    python server.py

MiniStack's own environment variables say where it listens.
"""

import base64
import json
import re
import struct
import threading

import awscrt.checksums
from ministack import app
from ministack.core.responses import new_uuid
from ministack.services import apigateway, s3, stepfunctions
from ministack.services.cloudformation import provisioners

HANDLERS = provisioners._RESOURCE_HANDLERS


def gap(still_there, what):
    if not still_there:
        raise SystemExit(f"MiniStack has it now: {what}. Delete what stands in for it here.")


def raises(function, *args):
    try:
        function(*args)
    except Exception:
        return True
    return False


def alarms():
    """An alarm over metric math is refused. It is kept as an alarm over its first metric: what its expression gives is
    CloudWatch's business."""
    record = provisioners._cw_metric_alarm_record
    alarm = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 1, "Metrics": [{"Id": "m", "Expression": "1"}]}
    gap(raises(record, "probe", alarm), "alarms over metric math")

    def with_metrics(name, props):
        if props.get("Metrics"):
            props = props | next(m["MetricStat"]["Metric"] for m in props["Metrics"] if "MetricStat" in m)
            props.pop("Metrics")
        return record(name, props)

    provisioners._cw_metric_alarm_record = with_metrics


def secrets():
    """Ref of a secret gives its name; CloudFormation gives its ARN."""
    handlers = HANDLERS["AWS::SecretsManager::Secret"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]
    physical, _ = create("Probe", {"SecretString": "x"}, "probe")
    delete(physical, {})
    gap(not physical.startswith("arn:"), "Ref of a secret is its ARN")

    def name(arn):
        return arn.split(":secret:")[-1].rsplit("-", 1)[0]

    def changed(physical, *args, **more):
        _, attributes = update(name(physical), *args, **more)
        return attributes["Arn"], attributes

    def created(*args):
        _, attributes = create(*args)
        return attributes["Arn"], attributes

    handlers |= {"create": created, "update": changed, "delete": lambda physical, props: delete(name(physical), props)}


def http_api():
    """The routes of an HTTP API's Body are not made. Only what this project's Body has is understood."""
    handlers = HANDLERS["AWS::ApiGatewayV2::Api"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]
    probe, _ = create("Probe", {"Body": {"info": {"title": "x"}, "paths": {"/x": {"get": {}}}}}, "probe")
    gap(not apigateway._routes[probe], "routes from an API's Body")
    delete(probe, {})

    def routes(api, body):
        apigateway._routes[api], apigateway._integrations[api] = {}, {}
        for path, methods in body["paths"].items():
            for method, operation in methods.items():
                if method == "parameters":
                    continue
                integration = operation["x-amazon-apigateway-integration"]
                made = json.loads(apigateway._create_integration(api, {
                    "integrationUri": integration["uri"], "payloadFormatVersion": integration["payloadFormatVersion"]})[2])
                if operation["security"] != [{"iam": []}]:
                    raise ValueError("only IAM is understood here")
                apigateway._create_route(api, {"routeKey": f"{method.upper()} {path}", "authorizationType": "AWS_IAM",
                                               "target": f"integrations/{made['integrationId']}"})

    def named(props):
        return props | {"Name": props["Body"]["info"]["title"]}

    def created(logical, props, stack):
        api, attributes = create(logical, named(props), stack)
        routes(api, props["Body"])
        return api, attributes

    def changed(physical, old, new, stack, logical_id=None):
        answer = update(physical, named(old), named(new), stack, logical_id)
        routes(answer[0], new["Body"])
        return answer

    handlers |= {"create": created, "update": changed}


def crc64nvme():
    """A multipart upload's CRC64NVME is taken for one of the parts' checksums; S3 knows it for the whole object alone. And
    it is computed byte by byte in Python, which takes seconds for a part."""
    gap(s3._composite_checksum("CRC64NVME", ["AAAAAAAAAAA="]).endswith("-1"), "full-object CRC64NVME")
    s3._crc64nvme = awscrt.checksums.crc64nvme
    composite, complete, create = s3._composite_checksum, s3._complete_multipart_upload, s3._create_multipart_upload
    current = threading.local()
    s3._composite_checksum = lambda *args: getattr(current, "checksum", None) or composite(*args)
    typed = {"x-amz-checksum-type": "FULL_OBJECT"}

    def completed(bucket, key, body, query, headers=None):
        upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"), {})
        if upload.get("checksum_algorithm") != "CRC64NVME":
            return complete(bucket, key, body, query, headers)
        parts = upload["parts"]
        whole = b"".join(parts[n]["body"] for n in part_numbers(body) if n in parts)
        current.checksum = base64.b64encode(struct.pack(">Q", s3._crc64nvme(whole))).decode()
        try:
            status, out, answer = complete(bucket, key, body, query, headers)
        finally:
            current.checksum = None
        if status == 200:
            s3._buckets[bucket]["objects"][key]["checksum_type"] = "FULL_OBJECT"
        return status, out, answer.replace(b"COMPOSITE", b"FULL_OBJECT")

    def created(*args, **more):
        status, out, answer = create(*args, **more)
        return status, out | (typed if out.get("x-amz-checksum-algorithm") == "CRC64NVME" else {}), answer

    s3._complete_multipart_upload, s3._create_multipart_upload = completed, created


def put_checksums():
    """PutObject does not answer with the object's checksum, which then looks as if S3 had none."""
    write = s3._put_object
    s3._create_bucket("probe", b"", {})
    answer = write("probe", "key", b"x", {"x-amz-sdk-checksum-algorithm": "CRC64NVME"})
    s3._buckets.pop("probe")
    gap(answer[0] == 200 and not any(h.startswith("x-amz-checksum") for h in answer[1]), "checksums in the answer of PutObject")

    def written(bucket, key, body, headers, *args, **more):
        status, out, answer = write(bucket, key, body, headers, *args, **more)
        if status == 200:
            checksums = s3._buckets[bucket]["objects"][key]["checksums"]
            out |= {f"x-amz-checksum-{name.lower()}": value for name, value in checksums.items()}
            out |= {"x-amz-checksum-type": "FULL_OBJECT"} if checksums else {}
        return status, out, answer

    s3._put_object = written


def part_numbers(body):
    return sorted(int(e.text) for e in s3.fromstring(body).iter() if e.tag.endswith("PartNumber"))


def child_errors():
    """An execution that startExecution.sync:2 waited for fails its step with its own error; Step Functions says
    States.TaskFailed, with the execution's description as the cause."""
    failure = stepfunctions._nested_execution_failure
    gap(failure({"output": '{"Error":"Own"}'})[0] == "Own", "States.TaskFailed from startExecution.sync")

    def failed(payload):
        error, cause = failure(payload)
        described = {k[0].upper() + k[1:]: v for k, v in payload.items() if v is not None}
        return "States.TaskFailed", json.dumps(described | {"Error": error, "Cause": cause})

    stepfunctions._nested_execution_failure = failed


def distributed_map():
    """The Distributed Map ignores the …Path forms of its fields and ResultWriter."""
    run = stepfunctions._run_distributed_map
    gap("ResultWriter" not in run.__code__.co_consts, "ResultWriter")
    gap("MaxConcurrencyPath" not in run.__code__.co_consts, "MaxConcurrencyPath")

    def with_writer(state, raw, effective, iterator, execution, ctx):
        state = dict(state)
        for field in ("MaxConcurrency", "ToleratedFailurePercentage", "ToleratedFailureCount"):
            if path := state.pop(field + "Path", None):
                state[field] = stepfunctions._resolve_path_or_ctx(path, effective, ctx)
        to = stepfunctions._resolve_params_obj(state.pop("ResultWriter")["Parameters"], effective, ctx)
        selector = state.pop("ResultSelector", None)
        before = set(stepfunctions._map_runs)
        try:
            _, following = run(state, raw, effective, iterator, execution, ctx)
        finally:
            arn = next((a for a in stepfunctions._map_runs if a not in before
                        and stepfunctions._map_runs[a]["executionArn"] == execution["executionArn"]), None)
            written = results(arn, to) if arn else None
        written = stepfunctions._apply_result_selector({"ResultSelector": selector}, written)
        output = stepfunctions._apply_result_path(state, raw, written)
        return stepfunctions._apply_output_path(state, output, ctx), following

    stepfunctions._run_distributed_map = with_writer


def results(arn, to):
    """Writes a Map Run's results as a ResultWriter does, and gives the state's result."""
    prefix = f"{to['Prefix']}/{arn.rsplit(':', 1)[1]}".lstrip("/")
    rows = {"SUCCEEDED": [], "FAILED": [], "PENDING": []}
    for child in list(stepfunctions._executions.values()):
        if child.get("mapRunArn") == arn:
            row = {k[0].upper() + k[1:]: v for k, v in child.items() if k not in ("events", "mapRunArn", "testCase", "mockAttempts")}
            rows[child["status"]].append({k: v for k, v in row.items() if v is not None})
    files = {}
    for kind, found in rows.items():
        files[kind] = [{"Key": f"{prefix}/{kind}_0.json", "Size": len(json.dumps(found))}] if found else []
        if found:
            put(to["Bucket"], f"{prefix}/{kind}_0.json", found)
    put(to["Bucket"], f"{prefix}/manifest.json", {"DestinationBucket": to["Bucket"], "MapRunArn": arn, "ResultFiles": files})
    return {"MapRunArn": arn, "ResultWriterDetails": {"Bucket": to["Bucket"], "Key": f"{prefix}/manifest.json"}}


def put(bucket, key, value):
    status, _, answer = s3._put_object(bucket, key, json.dumps(value).encode(), {})
    if status != 200:
        raise RuntimeError(f"ResultWriter: {answer}")


def hosts():
    """An API is not found under AWS's own names of hosts, which the stack's outputs have."""
    gap(not app._EXECUTE_API_RE.match("0a1b2c3d.execute-api.eu-west-1.amazonaws.com"), "execute-api hosts of AWS's own")
    app._EXECUTE_API_RE = re.compile(r"^([a-f0-9]{8})\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?::\d+)?$")


if __name__ == "__main__":
    for fill in (hosts, alarms, secrets, http_api, crc64nvme, put_checksums, child_errors, distributed_map):
        fill()
    app._port_is_bindable = lambda host, port: False  # it would take port 443, too
    app.main()
