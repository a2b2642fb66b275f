"""The two engines behind one face: moto's, and the project's own (`local stepfunctions`)."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import boto3
from botocore.config import Config

SCALE = 0.002
ROLE = "arn:aws:iam::123456789012:role/any"


def client(endpoint):
    return boto3.client("stepfunctions", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x",
                        aws_secret_access_key="x", config=Config(retries={"total_max_attempts": 1}, max_pool_connections=32))


class Engine:
    def __init__(self, name, endpoint, machine):
        self.name, self.sfn, self.machine = name, client(endpoint), machine

    def start(self, machine, execution, event):
        return self.sfn.start_execution(stateMachineArn=self.machine(machine), name=execution, input=json.dumps(event))["executionArn"]

    def result(self, execution, timeout=120):
        """How it ended, in what both engines must agree on."""
        deadline = time.monotonic() + timeout
        while (found := self.sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
            if time.monotonic() > deadline:
                return {"status": "STILL RUNNING", "path": self._path(execution)}
            time.sleep(0.02)
        out = {"status": found["status"], "path": self._path(execution)}
        if found["status"] == "SUCCEEDED":
            out["output"] = decoded(found.get("output", ""))
        else:
            out |= {"error": found.get("error"), "cause": found.get("cause")}
        return out

    def _path(self, execution):
        path = []
        for page in self.sfn.get_paginator("get_execution_history").paginate(executionArn=execution):
            path += [e["stateEnteredEventDetails"]["name"] for e in page["events"] if "stateEnteredEventDetails" in e]
        return path


def decoded(text):
    try:
        return json.loads(text)
    except ValueError:
        return f"no JSON: {text}"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def definition(path, substitutions):
    with open(path) as f:
        return re.sub(r"\$\{(\w+)\}", lambda m: ({"Partition": "aws"} | substitutions)[m[1]], f.read())


@contextlib.contextmanager
def moto(machines, lambda_port):
    """machines: name -> definition, as text."""
    port = free_port()
    env = os.environ | {"MOTO_PORT": str(lambda_port), "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    log = open(f"{os.environ['WORK']}/moto.log", "a")
    server = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(__file__), "server.py"), str(port), str(SCALE)],
                              env=env, stdout=log, stderr=log)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        wait_for(port, server)
        urllib.request.urlopen(urllib.request.Request(
            f"{endpoint}/moto-api/config", json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode(),
            {"Content-Type": "application/json"})).read()
        sfn, arns = client(endpoint), {}
        for name, text in machines.items():
            arns[name] = sfn.create_state_machine(name=name, definition=text, roleArn=ROLE)["stateMachineArn"]
        yield Engine("moto", endpoint, arns.__getitem__)
    finally:
        server.terminate()
        server.wait(30)


def wait_for(port, server):
    for _ in range(1200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        if server.poll() is not None:
            raise SystemExit("moto's server did not start: see moto.log")
        time.sleep(0.1)
    raise SystemExit("moto's server is not ready after two minutes")


@contextlib.contextmanager
def local(machines, lambda_port):
    work = os.environ["WORK"]
    command = [f"{work}/local", "stepfunctions", "-lambda", f"http://127.0.0.1:{lambda_port}", "-time-scale", str(SCALE)]
    for name, text in machines.items():
        with open(f"{work}/{name}.asl.json", "w") as f:
            f.write(text)
        command += ["-machine", f"{name}={work}/{name}.asl.json"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=open(f"{work}/local.log", "a"), text=True)
    try:
        line = server.stdout.readline()
        if not line:
            raise SystemExit("local stepfunctions did not start: " + open(f"{work}/local.log").read()[-2000:])
        ready = json.loads(line)
        yield Engine("local", ready["endpoint"], ready["stateMachines"].__getitem__)
    finally:
        server.terminate()
        server.wait(30)


def compare(name, ours, theirs, expected=None):
    """A difference, with both answers; None where there is none. An expected cause need only be part of the real one."""
    if ours == theirs and all(ours.get(k) == v or k == "cause" and v in ours["cause"] for k, v in (expected or {}).items()):
        return None
    return "\n".join([f"DIFFERENT: {name}", f"  local:    {json.dumps(ours)}", f"  moto:     {json.dumps(theirs)}"] +
                     ([f"  expected: {json.dumps(expected)}"] if expected else []))
