"""The template as the Serverless Application Repository gets it: by the real `sam package` and `sam publish`, before a
repository that writes down what it is asked for. Its own checks are the limits of the API's reference."""

import http.server
import json
import re
import threading

from deploying import THERE, ok
from world import REGION, must

LIMITS = {
    "name": r"[a-zA-Z0-9\-]{1,140}", "author": r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?", "description": r"(?s).{1,256}",
    "spdxLicenseId": r"Apache-2\.0", "semanticVersion": r"\d+\.\d+\.\d+", "homePageUrl": r"https://\S+", "sourceCodeUrl": r"https://\S+",
}


class Repository(http.server.BaseHTTPRequestHandler):
    asked = []

    def do_POST(self):
        self.asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        body = json.dumps({"applicationId": "arn:aws:serverlessrepo:eu-west-1:000000000000:applications/scenario-archive"}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def check(world):
    server = http.server.HTTPServer(("127.0.0.1", 0), Repository)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    world.client("s3").create_bucket(Bucket="published", CreateBucketConfiguration={"LocationConstraint": REGION})
    status, out = world.run(["sam", "package", "--region", REGION, "--s3-bucket", "published", "--output-template-file", f"{world.work}/packaged.yaml"], THERE)
    must(status == 0, f"sam package: exit status {status}\n{out}")
    status, out = world.run(["sam", "publish", "--region", REGION, "--template", f"{world.work}/packaged.yaml"],
                            THERE | {"AWS_ENDPOINT_URL_SERVERLESSAPPLICATIONREPOSITORY": f"http://127.0.0.1:{server.server_port}"})
    server.shutdown()
    must(status == 0 and len(Repository.asked) == 1, f"sam publish: exit status {status}\n{out}")
    path, asked = Repository.asked[0]
    must(path == "/applications", path)
    for name, limit in LIMITS.items():
        must(re.fullmatch(limit, asked.get(name, "")), f"{name} is {asked.get(name)!r}")
    must(0 < len(asked["labels"]) <= 10 and all(re.fullmatch(r"[a-zA-Z0-9+\-_:/@]{1,127}", x) for x in asked["labels"]), asked["labels"])
    for field, file in (("licenseUrl", "LICENSE"), ("readmeUrl", "README.md")):
        bucket, key = re.fullmatch(r"s3://([^/]+)/(.+)", asked[field]).groups()
        with open(f"{world.tree}/{file}", "rb") as f:
            must(world.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == f.read(), f"{field} is not {file}")
    must("CodeUri: s3://published/" in asked["templateBody"], "the template's code is not in S3")
    with open(f"{world.tree}/CHANGELOG.md") as f:
        must(f"\n## {asked['semanticVersion']}" in f.read(), f"the changelog has no version {asked['semanticVersion']}")
    ok(f"sam package and sam publish: {asked['name']} {asked['semanticVersion']}, with its licence and its README")
