"""What surrounds the functions in a test: the stand-in for Scenario, a real local S3 and the Step Functions endpoint of
`local`, as processes of their own, and for containers a way to reach them."""

import contextlib
import dataclasses
import ipaddress
import json
import os
import socket
import subprocess
import typing


@contextlib.contextmanager
def process(command, **more):
    """A server that prints a line when it is ready; gives that line. It is ended with the block."""
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)
    try:
        line = server.stdout.readline().strip()
        if not line:
            raise SystemExit(f"{os.path.basename(command[0])} did not start: exit status {server.wait()}")
        yield line
    finally:
        server.terminate()
        server.communicate(timeout=30)


@contextlib.contextmanager
def reachable(ports, binary):
    """Makes ports of the host's loopback reachable from containers; gives the host's name there. Docker Desktop does it
    by itself; a Linux engine's containers see the bridge's gateway, an address of this machine."""
    subnet = subprocess.run(
        ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}"],
        check=True, capture_output=True, text=True).stdout.strip()
    gateway = str(next(ipaddress.ip_network(subnet).hosts()))
    try:
        with socket.socket() as s:
            s.bind((gateway, 0))
    except OSError:
        yield "host.docker.internal"
        return
    forwarder = subprocess.Popen([binary, *(f"{gateway}:{p}=127.0.0.1:{p}" for p in ports)])
    try:
        yield gateway
    finally:
        forwarder.terminate()
        forwarder.wait()


@dataclasses.dataclass
class S3:
    endpoint: str
    port: int
    directory: str
    ca: str
    key: str
    secret: str


@dataclasses.dataclass
class Services:
    s3: S3
    scenario: str
    stepfunctions: typing.Callable


def port_of(url):
    return int(url.split("://")[1].split("/")[0].rsplit(":", 1)[1])


def build(work):
    for name, directory, package in (("local", "local", "."), ("forward", "ci", "./forward"),
                                     ("scenariotest", ".", "./scenario/scenariotest/cmd/scenariotest")):
        subprocess.run(["go", "build", "-C", directory, "-o", f"{work}/{name}", package], check=True)


@contextlib.contextmanager
def started(work):
    build(work)
    with contextlib.ExitStack() as stack:
        scenario = stack.enter_context(process([f"{work}/scenariotest", "-addr", "127.0.0.1:0"]))
        s3 = json.loads(stack.enter_context(process(
            [f"{work}/local", "s3", "-dir", f"{work}/s3", "-bucket", "archives"])))
        s3 = S3(s3["endpoint"], port_of(s3["endpoint"]), f"{work}/s3", s3["caFile"], s3["accessKeyId"], s3["secretAccessKey"])
        os.environ |= {"AWS_ACCESS_KEY_ID": s3.key, "AWS_SECRET_ACCESS_KEY": s3.secret, "AWS_REGION": "us-east-1",
                       "AWS_DEFAULT_REGION": "us-east-1",
                       # SAM asks AWS who it is, and would ask again for long where there is no way to AWS.
                       "AWS_MAX_ATTEMPTS": "1"}
        # A free port for the endpoint that starts later, so that the image can name it now.
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            sfn = s.getsockname()[1]
        ports = {9090: port_of(scenario), 7070: s3.port, 8083: sfn}
        host = stack.enter_context(reachable(ports.values(), f"{work}/forward"))
        image(s3, {inside: f"{host}:{port}" for inside, port in ports.items()})
        variables(f"{work}/env.json", {"BUCKET": "archives", "STATE_MACHINE_ARN": MACHINE,
                                       "BATCH_STATE_MACHINE_ARN": MACHINE.replace("archive", "batch"),
                                       "SYNC_STATE_MACHINE_ARN": MACHINE.replace("archive", "sync")})
        yield Services(s3, scenario, lambda functions: step_functions(work, sfn, functions))


def image(s3, ports):
    """The image's own environment is the only way to give a function in `sam local` a variable that the template does
    not name."""
    subprocess.run(
        ["bash", "ci/sam-image.sh",
         "LOCAL_FORWARD=" + ",".join(f"127.0.0.1:{inside}={target}" for inside, target in ports.items()),
         "AWS_ENDPOINT_URL_S3=https://127.0.0.1:7070", "AWS_ENDPOINT_URL_SFN=http://127.0.0.1:8083",
         "AWS_CA_BUNDLE=/etc/ssl/local-ca.pem", "SOURCE_ALLOW_LOOPBACK_HTTP=true",
         "SCENARIO_API_KEY=local-key", "SCENARIO_API_SECRET=local-secret"],
        check=True, env=os.environ | {"LOCAL_CA": s3.ca})


MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:archive"


def variables(path, own):
    """Writes the template's variables with local values, for --env-vars. own are those that differ from place to place."""
    with open(path, "w") as f:
        json.dump({"Parameters": own | {
            "BUCKET_OWNER": "", "KMS_KEY_ID": "", "SCENARIO_BASE_URL": "http://127.0.0.1:9090/v1", "SCENARIO_SECRET_ARN": "",
            "KEY_PREFIX": "archives/",
        }}, f)


def step_functions(work, port, functions):
    arn = "arn:aws:lambda:us-east-1:000000000000:function:"
    substitutions = [x for f in ("Launch", "Poll", "Transfer", "Unpack") for x in ("-substitute", f"{f}FunctionArn={arn}{f}Function")]
    return process([f"{work}/local", "stepfunctions", "-addr", f"127.0.0.1:{port}", "-lambda", functions,
                    "-machine", "archive=statemachine/archive.asl.json", "-substitute", "Partition=aws", *substitutions])
