"""Drives a stand-in of the Scenario API with the official Python client, and says what differs.

    python sdk_check.py --url http://127.0.0.1:9090/v1 --key local-key --secret local-secret

The stand-in must be a fresh one, of job durations below ten seconds. Exits with 1 at the first difference.
"""

import argparse
import io
import json
import sys
import time
import urllib.error
import urllib.request
import zipfile

import scenario_sdk

ASSETS = ["asset_knight", "asset_dragon", "asset_castle"]


def check(what, ok, seen=None):
    """Prints what holds; ends with what does not."""
    if not ok:
        print(f"DIFFERS: {what}: {seen!r}", file=sys.stderr)
        sys.exit(1)
    print(f"ok: {what}")


def request(client, assets=(), inferences=(), models=(), flat=True, template="<assetId>", **more):
    return client.assets.download.request_batch(
        query={"asset_ids": list(assets), "inference_ids": list(inferences), "model_ids": list(models)},
        options={"file_name_template": template, "flat": flat},
        **more,
    )


def wait(client, job_id, **more):
    """Polls both ways until the job is over."""
    seen = set()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status = client.assets.download.get_status(job_id, **more)
        seen.add(status.job_status)
        if status.job_status in ("success", "failure", "canceled"):
            return status, client.jobs.retrieve(job_id, **more).job, seen
        time.sleep(0.02)
    check(f"job {job_id} ends", False, seen)


def download(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as response:
        return response.status, response.headers, response.read()


def check_archive(client, names, **what):
    batch = request(client, **what)
    status, job, seen = wait(client, batch.job_id)
    check(f"{names}: the job succeeds by get_status", status.job_status == "success", status)
    check("it was seen running before", bool(seen - {"success"}), seen)
    check("it succeeds by jobs.retrieve", (job.status, job.progress) == ("success", 1), job)
    check("its type and history", job.job_type == "assets-download" and job.status_history[-1].status == "success", job)
    code, headers, body = download(status.download_url)
    check("the archive is served", code == 200 and len(body) == int(headers["Content-Length"]), code)
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        check("zipfile finds no fault in it", archive.testzip() is None)
        check("its names", archive.namelist() == names, archive.namelist())
        for name in names:
            check(f"{name} is a PNG", archive.read(name).startswith(b"\x89PNG\r\n\x1a\n"))
    metadata_url = job.metadata.to_dict().get("archiveUrl")
    check("metadata.archiveUrl serves the same bytes", download(metadata_url)[2] == body, None)
    code, headers, part = download(status.download_url, Range="bytes=10-19", **{"If-Range": headers["ETag"]})
    check("a range of it", code == 206 and part == body[10:20], code)


def check_refused(what, exception, text, call):
    try:
        answer = call()
    except scenario_sdk.APIStatusError as error:
        check(f"{what}: {exception.__name__}", type(error) is exception, error)
        check(f"{what}: says why", text in json.dumps(error.body), error.body)
    else:
        check(f"{what}: refused", False, answer)


def check_rate_limit(url, client):
    """Sets a rate limit by the stand-in's own means, and takes it away again."""
    body = {"message": "Too many", "details": {"actionName": "assets-download", "actionLimit": 1}}
    fault = {"operation": "launch-download", "times": 1, "status": 429, "retryAfter": "1", "body": json.dumps(body)}
    faults = url.removesuffix("/v1") + "/_test/faults"
    for patient in (False, True):
        urllib.request.urlopen(urllib.request.Request(faults, data=json.dumps(fault).encode(), method="POST"), timeout=30)
        if patient:
            began = time.monotonic()
            job_id = request(client.with_options(max_retries=2), ASSETS).job_id
            check("rate limit: the SDK waits for it", job_id.startswith("job_") and time.monotonic() - began >= 0.9, job_id)
        else:
            check_refused("rate limit", scenario_sdk.RateLimitError, "actionLimit", lambda: request(client, ASSETS))


def check_assets(client):
    """Lists by pages, the changes since a time, assets by their IDs, and a cost."""
    pages, assets = [], []
    page = client.assets.list(sort_by="updatedAt", sort_direction="asc", page_size=100)
    while True:
        pages.append(len(page.assets))
        assets += page.assets
        if not page.has_next_page():
            break
        page = page.get_next_page()
    check("assets.list goes over pages", pages == [100, 100, 50], pages)
    times = [a.updated_at for a in assets]
    check("in the order of their change, each once", times == sorted(times) and len({a.id for a in assets}) == 250, times)
    check("with the fields that the SDK requires", all(a.metadata.kind and a.url and a.properties for a in assets))
    later = list(client.assets.list(sort_by="updatedAt", sort_direction="asc", updated_after=times[199]))
    check("updated_after is exclusive", [a.id for a in later] == [a.id for a in assets[200:]], len(later))
    heroes = list(client.assets.list(collection_id="collection_heroes", page_size=7, sort_by="updatedAt"))
    check("collection_id", [a.id for a in heroes] == [a.id for a in reversed(assets[::2])], len(heroes))
    typed = list(client.assets.list(types=["upscale", "inference-txt2img"]))
    check("types", len(typed) == 250, len(typed))
    check_refused("updated_after without sort_by", scenario_sdk.BadRequestError, "sortBy=updatedAt",
                  lambda: client.assets.list(updated_after=times[0]))
    check_refused("101 on a page", scenario_sdk.BadRequestError, "pageSize", lambda: client.assets.list(page_size=101))
    check_refused("a token that is none", scenario_sdk.BadRequestError, "paginationToken",
                  lambda: client.assets.list(pagination_token="?"))

    wanted = [assets[3].id, "asset_missing", assets[1].id]
    bulk = client.assets.get_bulk(asset_ids=wanted).assets
    check("get_bulk leaves out what does not exist", [a.id for a in bulk] == [wanted[0], wanted[2]], bulk)
    check_refused("get_bulk of 201", scenario_sdk.BadRequestError, "200",
                  lambda: client.assets.get_bulk(asset_ids=[a.id for a in assets[:201]]))
    one = client.assets.retrieve(wanted[0]).asset
    check("retrieve", one.id == wanted[0] and one.updated_at == assets[3].updated_at, one)

    estimate = client.assets.download.with_raw_response.request_batch(
        query={"asset_ids": ASSETS, "inference_ids": [], "model_ids": []},
        options={"file_name_template": "<id>", "archive_name": "heroes", "prefer_original": True}, dry_run="true")
    cost = json.loads(estimate.text())
    check("dry_run answers 269 with a cost", estimate.status_code == 269 and cost["creativeUnitsCost"] > 0, cost)


def check_jobs(client):
    """The lists of jobs, in a project of their own."""
    project = "proj_jobs"
    made = [request(client, [f"asset_{i}"], project_id=project).job_id for i in range(25)]
    first = client.jobs.retrieve(made[0], project_id=project).job
    listed = list(client.jobs.list(project_id=project, page_size=10))
    check("all jobs, in pages, the latest first", sorted(j.job_id for j in listed) == sorted(made)
          and [j.created_at for j in listed] == sorted((j.created_at for j in listed), reverse=True), len(listed))
    check("a job's input is what was asked for", first.metadata.input["query"] == {"assetIds": ["asset_0"]}, first.metadata)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:  # until no job changes its page any more
        typed = list(client.jobs.list(types=["assets-download", "upload"], updated_after=first.created_at, project_id=project, page_size=10))
        if all(j.status == "success" for j in typed):
            break
    updated = [j.updated_at for j in typed]
    check("types and updated_after, by update", len(typed) >= 24 and updated == sorted(updated, reverse=True), typed)
    check("another type", list(client.jobs.list(type="upload", project_id=project)) == [])
    check("by status", len(list(client.jobs.list(status="success", project_id=project))) == 25)
    check_refused("created_after with types", scenario_sdk.BadRequestError, "createdAfter",
                  lambda: client.jobs.list(types=["assets-download"], created_after=first.created_at))
    check_refused("updated_after without a filter", scenario_sdk.BadRequestError, "updatedAfter",
                  lambda: client.jobs.list(updated_after=first.created_at))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True, help="base URL, with /v1")
    parser.add_argument("--key", default="local-key")
    parser.add_argument("--secret", default="local-secret")
    args = parser.parse_args()
    # Strict validation: an answer that lacks a field which the SDK's models require is an error, not None.
    client = scenario_sdk.Scenario(
        base_url=args.url, api_key=args.key, api_secret=args.secret, max_retries=0, _strict_response_validation=True)

    check_archive(client, [f"{a}.png" for a in ASSETS], assets=ASSETS)
    check_archive(client, ["all/0/asset_knight.png", "all/1/asset_dragon.png"],
                  assets=ASSETS[:2], flat=False, template="all/<num>/<assetId>")
    status, _, _ = wait(client, request(client, inferences=["inf_1"], models=["model_1"], flat=False).job_id)
    with zipfile.ZipFile(io.BytesIO(download(status.download_url)[2])) as archive:
        folders = {name.split("/")[0] for name in archive.namelist()}
        check("folders of an inference and a model", folders == {"inf_1", "model_1"} and archive.testzip() is None, folders)

    project = request(client, ASSETS, project_id="proj_1").job_id
    check("a job within its project", client.jobs.retrieve(project, project_id="proj_1").job.job_id == project)
    check_refused("a job outside its project", scenario_sdk.NotFoundError, "was not found", lambda: client.jobs.retrieve(project))
    status, job, _ = wait(client, request(client, ["asset_fail"]).job_id)
    check("a job that fails", status.job_status == "failure" and "asset_fail" in job.metadata.error, job)
    status, job, _ = wait(client, request(client, ["asset_cancel"]).job_id)
    check("a job that is canceled", (status.job_status, status.download_url) == ("canceled", None), status)

    wrong = client.with_options(api_secret="wrong")
    check_refused("bad secret", scenario_sdk.AuthenticationError, "Unauthorized", lambda: request(wrong, ASSETS))
    check_refused("1001 assets", scenario_sdk.BadRequestError, "batch limited to 1000 assets",
                  lambda: request(client, [f"asset_{i}" for i in range(1001)]))
    check_refused("empty query", scenario_sdk.BadRequestError, "at least one", lambda: request(client))
    check_refused("unknown asset", scenario_sdk.NotFoundError, "asset_missing", lambda: request(client, ["asset_missing"]))
    check_refused("unknown job", scenario_sdk.NotFoundError, "job_none", lambda: client.jobs.retrieve("job_none"))
    check_refused("unknown job, by get_status", scenario_sdk.NotFoundError, "job_none",
                  lambda: client.assets.download.get_status("job_none"))
    check_refused("cancel", scenario_sdk.BadRequestError, "Cannot cancel this type of job",
                  lambda: client.jobs.trigger_action(request(client, ASSETS).job_id, action="cancel"))
    status, _, _ = wait(client, request(client, ["asset_expired"]).job_id)
    try:
        check("an expired URL", False, download(status.download_url)[0])
    except urllib.error.HTTPError as error:
        check("an expired URL is forbidden", error.code == 403 and b"<Code>AccessDenied</Code>" in error.read(), error.code)
    check_assets(client)
    check_jobs(client)
    check_rate_limit(args.url, client)
    print("all as the SDK expects")


if __name__ == "__main__":
    main()
