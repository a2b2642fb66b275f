"""The stack in use: every way in, and the named errors."""

import concurrent.futures
import io
import json
import re
import zipfile

from deploying import ok
from world import KEY, REGION, SECRET, must, until

# What is not provoked here, and where it is.
ELSEWHERE = {
    "RateLimited": "takes two days", "LaunchUncertain": "needs an answer that is lost: functions/launch",
    "ScenarioUnavailable": "takes minutes of the client's own waits: functions/launch", "ArchiveChanged": "internal/transfer",
    "ArchiveTooLarge": "internal/transfer", "ArchiveIncomplete": "functions/transfer", "ArchiveUnsupported": "functions/unpack",
    "SourceForbidden": "the stand-in is on loopback, which is let through here: internal/transfer/source",
    "SourceUnavailable": "takes minutes of the transfer's own waits: internal/transfer",
    "DestinationUnavailable": "takes minutes of the transfer's own waits: internal/transfer", "StepFailed": "statemachine",
    "SyncBusy": "internal/sync", "SyncFailed": "internal/sync", "Internal": "a fault of the software", "Misconfigured": "the template sets every variable: functions/*",
}


def errors(world):
    """The names in docs/errors.md."""
    with open(f"{world.tree}/docs/errors.md") as f:
        rows = re.findall(r"^\| (`.*?) \|", f.read(), re.M)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


class Use:
    def __init__(self, world, outputs):
        self.world, self.outputs = world, outputs
        self.bucket, self.machine = outputs["BucketName"], outputs["ArchiveStateMachineArn"]
        self.provoked = set()
        # A job has a minute at least, so this is looked at later.
        self.stuck = self.start({"query": {"assetIds": ["asset_stuck"]}, "timeoutSeconds": 60}, "timed-out")

    def start(self, request, name, machine=None):
        return self.world.client("stepfunctions").start_execution(
            stateMachineArn=machine or self.machine, name=name, input=json.dumps(request))["executionArn"]

    def end(self, arn):
        sfn = self.world.client("stepfunctions")
        return until(lambda: (e := sfn.describe_execution(executionArn=arn))["status"] != "RUNNING" and e, arn)

    def archive(self, name, request):
        """One archive, whole: the object is the ZIP file that the output says."""
        e = self.end(self.start(request, name))
        must(e["status"] == "SUCCEEDED", f"{name}: {e['status']} {e.get('error')}: {e.get('cause')}")
        self.whole(name, json.loads(e["output"]))

    def whole(self, name, output):
        s3 = self.world.client("s3")
        o = s3.get_object(Bucket=output["bucket"], Key=output["key"], ChecksumMode="ENABLED")
        body = o["Body"].read()
        archive = zipfile.ZipFile(io.BytesIO(body))
        must(archive.testzip() is None and len(archive.namelist()) == output["entries"], f"{name}: not the ZIP file that was made")
        must(len(body) == output["size"] and o["ChecksumCRC64NVME"] == output["checksumCRC64NVME"], f"{name}: not as its output says: {output}")
        parts = int(m[1]) if (m := re.search(r'-(\d+)"?$', o["ETag"])) else 1
        return len(body), parts

    def fails(self, name, request, error):
        self.failed(name, self.start(request, name), error)

    def failed(self, name, arn, error):
        e = self.end(arn)
        must((e["status"], e.get("error")) == ("FAILED", error), f"{name}: {e['status']} {e.get('error')}: {e.get('cause')}")
        must("Signature=" not in e["cause"] and SECRET not in e["cause"], f"{name}: a secret is in the cause")
        self.provoked.add(error)

    def clean(self):
        left = self.world.client("s3").list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        must(not left, f"uploads are left behind: {left}")

    # ---- Ways in

    def machines(self):
        self.archive("one-part", ids(1))
        self.archive("several-parts", ids(1000) | {"destination": {"key": "parts/several.zip"}})
        size, parts = self.whole("several-parts", json.loads(self.end(self.machine.replace("stateMachine", "execution") + ":several-parts")["output"]))
        must(parts > 1, f"an archive of {size} bytes is in one part")
        self.archive("tagged", ids(2) | {"destination": {"prefix": "tagged/", "tags": {"team": "art"}}})
        tags = self.world.client("s3").get_object_tagging(Bucket=self.bucket, Key="tagged/tagged.zip")["TagSet"]
        must(tags == [{"Key": "team", "Value": "art"}], f"tags: {tags}")
        e = self.end(self.start(ids(3) | {"unpack": {"prefix": "unpacked/", "keepArchive": False}}, "unpacked"))
        must(e["status"] == "SUCCEEDED", f"unpacked: {e['status']} {e.get('error')}: {e.get('cause')}")
        found = self.world.client("s3").list_objects_v2(Bucket=self.bucket, Prefix="unpacked/")["Contents"]
        must(json.loads(e["output"])["unpacked"]["objects"] == 3 <= len(found), f"unpacked: {e['output']}, {found}")
        ok(f"archives of one part and of {parts} ({size} bytes), one with tags, one as objects")

    def refused(self):
        self.fails("empty", {"query": {}}, "RequestInvalid")
        for error, asset in (("JobFailed", "asset_fail"), ("JobCanceled", "asset_cancel"), ("ArchiveCorrupt", "asset_corrupt"),
                             ("ArchiveURLExpired", "asset_expired")):
            self.fails(error, {"query": {"assetIds": [asset]}}, error)
        self.world.client("s3").put_object(Bucket=self.bucket, Key="taken.zip", Body=b"somebody else's")
        self.fails("taken", ids(1) | {"destination": {"key": "taken.zip"}}, "DestinationConflict")
        found = self.world.client("s3").get_object(Bucket=self.bucket, Key="taken.zip")["Body"].read()
        must(found == b"somebody else's", "somebody else's object is overwritten")
        ok("refused requests and failing jobs end with their named errors")

    def inbox(self):
        s3 = self.world.client("s3")
        s3.put_object(Bucket=self.bucket, Key="requests/heroes.json", Body=json.dumps(ids(3)))
        status = self.note("heroes.status.json")
        e = self.end(status["execution"]["arn"])
        must(e["status"] == "SUCCEEDED", f"a request in the inbox: {e}")
        self.whole("a request in the inbox", json.loads(e["output"]))
        ended = until(lambda: (n := self.note("heroes.status.json"))["status"] == "succeeded" and n, "the note does not say how it ended")
        must(ended["output"] == json.loads(e["output"]), f"the note at the end: {ended}")
        s3.put_object(Bucket=self.bucket, Key="requests/wrong.json", Body=b'{"query":')
        must(self.note("wrong.error.json"), "no note")
        ok("the inbox: a request, whose note says at the end how it ended, and one that cannot be read")

    def lists(self):
        s3 = self.world.client("s3")
        s3.put_object(Bucket=self.bucket, Key="requests/many.txt", Body="\n".join(f"asset_{i}" for i in range(2500)))
        e = self.end(self.note("many.status.json")["execution"]["arn"])
        must(e["status"] == "SUCCEEDED", f"a list of 2,500: {e['status']} {e.get('error')} {e.get('cause')}")
        output = json.loads(e["output"])
        manifest = json.loads(s3.get_object(Bucket=self.bucket, Key=output["manifest"])["Body"].read())
        made = manifest["archives"]
        must(output["complete"] and len(made) == 3 and sum(a["assets"] for a in made) == 2500, f"a list of 2,500: {output}, {manifest}")
        e = self.end(self.start({"query": {"assetIds": [f"asset_{i}" for i in range(1000)] + ["asset_fail"]}, "destination": {"key": "half/half.zip"}},
                                "half", self.outputs["BatchStateMachineArn"]))
        must((e["status"], e.get("error")) == ("FAILED", "BatchFailed"), f"a batch with a failing job: {e['status']} {e.get('error')} {e.get('cause')}")
        self.provoked.add("BatchFailed")
        s3.head_object(Bucket=self.bucket, Key="half/half-0001.zip")
        ok("a list of 2,500 is three archives and a manifest; a batch with a failing job keeps the other archive")

    def sync(self):
        """A folder follows a selection: everything of the stand-in's catalogue, by dropping the definition."""
        s3 = self.world.client("s3")
        s3.put_object(Bucket=self.bucket, Key="syncs/heroes.json", Body=b'{"select": {}, "destination": {"prefix": "heroes/"}}')
        status = until(lambda: (n := self.note("heroes.status.json", "syncs"))["status"] != "running" and n, "the sync does not end")
        must(status["status"] == "succeeded" and not status["counts"]["failed"], f"a sync: {status['failed'][:3]}, {status}")
        keys = [o["Key"] for o in s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix="heroes/").build_full_result()["Contents"]]
        files, records = ([k for k in keys if k.startswith(f"heroes/{folder}/")] for folder in ("assets", "metadata"))
        must(len(files) == len(records) == len(keys) / 2 > 0, f"a sync: {len(files)} files, {len(records)} records, {len(keys)} objects")
        ok(f"a sync: {len(files)} files, each with its record, and nothing else under its prefix")

    def note(self, name, folder="requests"):
        def there():
            try:
                return json.loads(self.world.client("s3").get_object(Bucket=self.bucket, Key=f"{folder}/{name}")["Body"].read())
            except self.world.client("s3").exceptions.NoSuchKey:
                return None
        return until(there, f"{folder}/{name} is not written")

    # ---- The HTTP API

    def curl(self, *arguments, signed=True):
        sign = ["--aws-sigv4", f"aws:amz:{REGION}:execute-api", "--user", "test:test"] if signed else []
        status, out = self.world.run(["curl", "-w", "\n%{http_code}", *sign, *arguments], {})
        must(status == 0, f"curl {arguments}: {out}")
        body, code = out.rsplit("\n", 1)
        return int(code), json.loads(body) if body.startswith("{") else body

    def api(self):
        url = f"{self.outputs['ApiUrl']}/archives"
        code, _ = self.curl(url, signed=False)
        must(code == 403, f"an unsigned request: {code}")
        status, out = self.world.run(["bash", "-c", self.outputs["ApiStartCommand"].replace("asset_...", "asset_1")],
                                     {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": ""})
        must(status == 0 and "id" in json.loads(out), f"ApiStartCommand: {out}")
        one = json.loads(out)["id"]
        archive = until(lambda: (a := self.curl(f"{url}/{one}")[1])["status"] == "succeeded" and a, "the API's archive")
        body = self.world.get(archive["download"]["url"])
        must(zipfile.ZipFile(io.BytesIO(body)).testzip() is None, "the download link gives no ZIP file")
        code, listed = self.curl(url)
        must(code == 200 and one in [a["id"] for a in listed["archives"]], f"the list: {code} {listed}")
        code, started = self.curl(url, "-H", "Content-Type: application/json", "-d", '{"query":{"assetIds":["asset_stuck"]}}')
        must(code == 202, f"start: {code} {started}")
        code, stopped = self.curl(f"{url}/{started['id']}", "-X", "DELETE")
        must(code == 200 and stopped["status"] in ("stopped", "aborted"), f"stop: {code} {stopped}")
        code, answer = self.curl(url, "-H", "Content-Type: application/json", "-d", "{}")
        must(code == 422, f"an empty request: {code} {answer}")
        syncs = f"{self.outputs['ApiUrl']}/syncs"
        code, made = self.curl(syncs, "-H", "Content-Type: application/json", "-d", '{"name": "by-api", "select": {"collectionId": "none"}}')
        must(code == 201, f"a sync by the API: {code} {made}")
        listed = until(lambda: [s for s in self.curl(syncs)[1]["syncs"] if s["name"] == "by-api" and s["status"] == "succeeded"],
                       "the sync by the API is not listed as succeeded")
        must(listed[0]["destination"] == {"prefix": "by-api/"}, f"a sync by the API: {listed}")
        ok("the HTTP API: unsigned 403; the command of the outputs starts; show, list, stop, download by its link; a sync is made and listed")

    def all(self):
        """Every way in at once, as on any day."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for done in [pool.submit(f) for f in (self.machines, self.refused, self.inbox, self.lists, self.sync, self.api)]:
                done.result()
        self.clean()

    def timed_out(self):
        self.failed("timed-out", self.stuck, "JobTimedOut")

    def rotated(self):
        """After Scenario has refused them once the credentials are read again, without a deployment: here first ones that it
        does not know, then good ones."""
        secrets = self.world.client("secretsmanager")
        secret = secrets.list_secrets()["SecretList"][0]["ARN"]
        secrets.put_secret_value(SecretId=secret, SecretString=json.dumps({"apiKey": KEY, "apiSecret": "old"}))
        refuse = json.dumps({"operation": "launch-archive", "status": 401, "times": 1}).encode()
        self.world.get(self.world.scenario.removesuffix("/v1") + "/_test/faults", refuse, "POST")
        self.fails("rotated-away", ids(1), "Unauthorized")
        secrets.put_secret_value(SecretId=secret, SecretString=json.dumps({"apiKey": KEY, "apiSecret": SECRET}))
        self.archive("rotated-back", ids(1))
        ok("rotated credentials: refused ones end as Unauthorized, good ones are taken at once")

    def named(self):
        named = errors(self.world)
        missing, stale = named - self.provoked - set(ELSEWHERE), set(ELSEWHERE) & self.provoked | set(ELSEWHERE) - named
        must(not missing and not stale, f"errors neither provoked nor explained: {missing}; explained and needless: {stale}")
        ok(f"{len(self.provoked)} of {len(named)} named errors are provoked: {', '.join(sorted(self.provoked))}")


def ids(n):
    return {"query": {"assetIds": [f"asset_{i}" for i in range(1, n + 1)]}}
