"""Each s3: action of the transfer's role is taken away in turn, and must be missed."""

import json

from deploying import ok
from world import must

# What MiniStack does not enforce, and S3 does: that a missing object is 404 only for those who may list the bucket (403 for others),
# and that tags which come with an object need a right of their own.
UNNOTICED = {"s3:ListBucket", "s3:PutObjectTagging"}


def check(used):
    world = used.world
    iam = world.client("iam")
    role = next(r["RoleName"] for r in iam.get_paginator("list_roles").paginate().build_full_result()["Roles"] if "-TransferRole-" in r["RoleName"])
    policy = iam.get_role_policy(RoleName=role, PolicyName="own")["PolicyDocument"]
    policy = json.loads(policy) if isinstance(policy, str) else policy
    actions = sorted({a for s in policy["Statement"] for a in as_list(s["Action"]) if a.startswith("s3:")})
    problem = work(used, "whole")
    must(not problem, f"the transfer does not work before anything is taken away: {problem}")
    noticed = {}
    for action in actions:
        less = [s | {"Action": [a for a in as_list(s["Action"]) if a != action]} for s in policy["Statement"]]
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(
            policy | {"Statement": [s for s in less if s["Action"]]}))
        noticed[action] = work(used, action.split(":")[1].lower())
    iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(policy))
    for action, problem in noticed.items():
        ok(f"without {action}: {problem or 'unnoticed'}")
    unnoticed = {a for a, problem in noticed.items() if not problem}
    must(unnoticed == UNNOTICED, f"unnoticed: {sorted(unnoticed)}; written down: {sorted(UNNOTICED)}")
    for upload in world.client("s3").list_multipart_uploads(Bucket=used.bucket).get("Uploads", []):
        world.client("s3").abort_multipart_upload(Bucket=used.bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def as_list(value):
    return value if isinstance(value, list) else [value]


def work(used, name):
    """What goes wrong, if something does, with an archive of one part, with one of several, and with one that ends in
    the middle, whose upload must be aborted."""
    many = [f"asset_{i}" for i in range(999)]
    requests = {"one": ({"query": {"assetIds": ["asset_1"]}, "destination": {"prefix": "roles/", "tags": {"a": "b"}}}, None),
                "several": ({"query": {"assetIds": many}}, None),
                "corrupt": ({"query": {"assetIds": [*many, "asset_corrupt"]}}, "ArchiveCorrupt")}
    arns = {kind: used.start(request, f"role-{name}-{kind}") for kind, (request, _) in requests.items()}
    problems = []
    for kind, (_, wanted) in requests.items():
        e = used.end(arns[kind])
        if e.get("error") == "DestinationRefused":
            used.provoked.add("DestinationRefused")
        if e.get("error") != wanted:
            problems.append(f"{kind}: {e.get('error') or e['status']}")
    left = used.world.client("s3").list_multipart_uploads(Bucket=used.bucket).get("Uploads", [])
    if [u for u in left if f"role-{name}-" in u["Key"]]:
        problems.append("an upload is left behind")
    return ", ".join(problems) or None
