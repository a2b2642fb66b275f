"""The AWS CLI and boto3 put a large object into the local S3 server and get it back, several times over, with what each
does by itself: multipart uploads over connections that are kept, checksums as trailers.

    python aws_clients.py LOCAL AWS    (SIZE_MIB=1024 LOOPS=2)
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import boto3

LOCAL, AWS = sys.argv[1:]
SIZE = int(os.environ.get("SIZE_MIB", "1024")) << 20
LOOPS = int(os.environ.get("LOOPS", "2"))


def make(path):
    """A file of random bytes, and their hash."""
    hashed = hashlib.sha256()
    with open(path, "wb") as file:
        for _ in range(SIZE >> 20):
            block = os.urandom(1 << 20)
            hashed.update(block)
            file.write(block)
    return hashed.hexdigest()


def digest(stream):
    return hashlib.file_digest(stream, "sha256").hexdigest()


def by_cli(path, url, env):
    subprocess.run([AWS, "s3", "cp", "--only-show-errors", str(path), url], env=env, check=True)
    with subprocess.Popen([AWS, "s3", "cp", "--only-show-errors", url, "-"], env=env, stdout=subprocess.PIPE) as get:
        got = digest(get.stdout)
    if get.returncode:
        raise SystemExit(f"aws s3 cp {url} - ended with {get.returncode}")
    return got


def by_pipe(path, url, env):
    """As one pipes curl into the CLI, which then does not know the size."""
    with open(path, "rb") as file:
        subprocess.run([AWS, "s3", "cp", "--only-show-errors", "--expected-size", str(SIZE), "-", url], env=env, check=True, stdin=file)
    with subprocess.Popen([AWS, "s3", "cp", "--only-show-errors", url, "-"], env=env, stdout=subprocess.PIPE) as get:
        return digest(get.stdout)


def by_boto3(client, path, bucket, key):
    client.upload_file(str(path), bucket, key)
    with tempfile.TemporaryFile() as file:
        client.download_fileobj(bucket, key, file)
        file.seek(0)
        parts = digest(file)
    body = client.get_object(Bucket=bucket, Key=key)["Body"]
    whole = hashlib.sha256()
    for block in body.iter_chunks(1 << 20):
        whole.update(block)
    if whole.hexdigest() != parts:
        raise SystemExit("boto3: get_object and download_fileobj differ")
    return parts


def main():
    with tempfile.TemporaryDirectory() as work, subprocess.Popen(
            [LOCAL, "s3", "-bucket", "bucket", "-dir", f"{work}/s3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        try:
            s3 = json.loads(server.stdout.readline())
            path = pathlib.Path(work, "file")
            want = make(path)
            # One attempt: a retry would hide what this is about.
            env = os.environ | {"AWS_ACCESS_KEY_ID": s3["accessKeyId"], "AWS_SECRET_ACCESS_KEY": s3["secretAccessKey"],
                                "AWS_REGION": s3["region"], "AWS_CA_BUNDLE": s3["caFile"], "AWS_CONFIG_FILE": os.devnull,
                                "AWS_ENDPOINT_URL_S3": s3["endpoint"], "AWS_MAX_ATTEMPTS": "1"}
            os.environ.update(env)
            client = boto3.client("s3")
            for loop in range(LOOPS):
                for name, run in (("aws s3 cp", lambda: by_cli(path, "s3://bucket/cli", env)),
                                  ("| aws s3 cp -", lambda: by_pipe(path, "s3://bucket/pipe", env)),
                                  ("boto3", lambda: by_boto3(client, path, "bucket", "boto3"))):
                    began = time.monotonic()
                    if run() != want:
                        raise SystemExit(f"{name}: other bytes came back")
                    print(f"{name}: {SIZE >> 20} MiB put and got, {time.monotonic() - began:.1f} s ({loop + 1} of {LOOPS})", flush=True)
        finally:
            server.stdin.close()


if __name__ == "__main__":
    main()
