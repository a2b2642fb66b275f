"""The world around the stack in this check: MiniStack and the stand-in for Scenario, both over TLS and on loopback, the
real sam and aws, and a terminal to type commands in."""

import atexit
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.request

import boto3

REGION, STACK = "eu-west-1", "scenario-archive-dev"
KEY, SECRET = "key-of-the-check", "secret-of-the-check-7f3a"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}  # MiniStack's administrator
SCENARIO = {"SCENARIO_API_KEY": KEY, "SCENARIO_API_SECRET": SECRET}
NAMES = "DNS:localhost,DNS:*.localhost,IP:127.0.0.1,DNS:*.execute-api." + REGION + ".amazonaws.com"
SYSTEM_CERTIFICATES = ssl.get_default_verify_paths().openssl_cafile


def must(condition, problem):
    if not condition:
        raise SystemExit(f"FAILED: {problem}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(what, problem, seconds=120):
    """What the function gives once it gives something."""
    end = time.monotonic() + seconds
    while True:
        if value := what():
            return value
        must(time.monotonic() < end, f"{problem}: not within {seconds} s")
        time.sleep(0.05)


class World:
    def __init__(self, work, tools, ministack):
        self.work, self.tools, self.ministack = work, tools, ministack
        self.tree, self.home, self.bin = f"{work}/tree", f"{work}/home", f"{work}/bin"
        self.certificates()
        self.endpoint = f"https://localhost:{self.aws()}"
        self.scenario = self.stand_in()
        self.terminal()

    def certificates(self):
        self.bundle, cert, key = (f"{self.work}/{n}.pem" for n in ("bundle", "cert", "key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", f"subjectAltName={NAMES}", "-keyout", key, "-out", cert],
                       check=True, stderr=subprocess.DEVNULL)
        for source in (SYSTEM_CERTIFICATES, cert):
            with open(source) as f, open(self.bundle, "a") as out:
                out.write(f.read())
        self.trust = ssl.create_default_context(cafile=self.bundle)

    def start(self, command, log, **env):
        with open(f"{self.work}/{log}", "wb") as out:
            server = subprocess.Popen(command, env={k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | env,
                                      stdout=out, stderr=subprocess.STDOUT)

        def stop():
            server.terminate()
            server.wait()

        atexit.register(stop)
        return server

    def aws(self):
        """MiniStack. The functions inherit its environment, and trust its certificate by SSL_CERT_FILE."""
        port = free_port()
        url = f"https://localhost:{port}"
        server = self.start(
            [f"{self.ministack}/bin/python", "ci/ministack/server.py"], "ministack.log", AUTH="true", USE_SSL="1", BIND_HOST="127.0.0.1",
            GATEWAY_PORT=str(port), MINISTACK_SSL_CERT=f"{self.work}/cert.pem", MINISTACK_SSL_KEY=f"{self.work}/key.pem",
            MINISTACK_REGION=REGION, AWS_ENDPOINT_URL=url, AWS_ENDPOINT_URL_S3=url, SSL_CERT_FILE=self.bundle, SFN_WAIT_SCALE="0.02",
            SOURCE_ALLOW_LOOPBACK_HTTP="true", TMPDIR=self.work)
        until(lambda: server.poll() is not None or self.answers(f"{url}/_ministack/health"), "MiniStack does not start")
        must(server.poll() is None, f"MiniStack ended: see {self.work}/ministack.log")
        return port

    def stand_in(self):
        server = self.start([f"{self.work}/scenariotest", "-addr", f"127.0.0.1:{free_port()}", "-key", KEY, "-secret", SECRET,
                             "-asset-size", "20KiB", "-tls-cert", f"{self.work}/cert.pem", "-tls-key", f"{self.work}/key.pem"], "scenario.log")
        log = f"{self.work}/scenario.log"
        until(lambda: server.poll() is not None or open(log).read().endswith("/v1\n"), "the stand-in does not start")
        must(server.poll() is None, f"the stand-in ended: {open(log).read()}")
        return open(log).read().strip()

    def answers(self, url):
        try:
            return self.get(url)
        except OSError:
            return None

    def get(self, url, data=None, method=None):
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method), context=self.trust, timeout=60) as answer:
            return answer.read()

    def client(self, service):
        """One for each thread that asks: boto3's sessions are not to be shared."""
        if not hasattr(self, "local"):
            self.local = threading.local()
        clients = self.local.__dict__.setdefault("clients", {})
        if service not in clients:
            clients[service] = boto3.session.Session().client(
                service, endpoint_url=self.endpoint, region_name=REGION, verify=self.bundle, aws_access_key_id="test",
                aws_secret_access_key="test")
        return clients[service]

    def terminal(self):
        """The real sam and aws, behind scripts that write down what they are called with: everyone may see that."""
        for directory in (self.bin, self.home):
            os.makedirs(directory)
        for name in ("sam", "aws"):
            with open(f"{self.bin}/{name}", "w") as f:
                f.write(f'#!/bin/sh\necho "{name} $*" >> "{self.work}/arguments"\nexec "{self.tools}/bin/{name}" "$@"\n')
            os.chmod(f"{self.bin}/{name}", 0o755)
        with open(f"{self.home}/.curlrc", "w") as f:  # so that curl finds every host of AWS at MiniStack
            f.write(f'connect-to = "::{self.endpoint.split("//")[1]}"\ncacert = "{self.bundle}"\nsilent\nshow-error\n')

    def run(self, command, more, path=None):
        """Runs it in an environment that has only what a person would have; gives the exit status and the terminal."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "SCENARIO_"))}
        cache = {k: subprocess.run(["go", "env", k], capture_output=True, text=True, check=True).stdout.strip()
                 for k in ("GOCACHE", "GOMODCACHE")}
        env |= cache | {"PATH": path or f"{self.bin}:{env['PATH']}", "HOME": self.home, "AWS_ENDPOINT_URL": self.endpoint,
                        "AWS_CA_BUNDLE": self.bundle, "AWS_EC2_METADATA_DISABLED": "true", "SAM_CLI_TELEMETRY": "0"} | more
        answer = more.get("ANSWER", "")
        done = subprocess.run(command, cwd=self.tree, env=env, input=answer, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        must(SECRET not in done.stdout, "the secret is on the terminal")
        return done.returncode, done.stdout

    def without(self, tool):
        """A PATH with everything that deploy.sh calls but this."""
        directory = f"{self.work}/without-{tool}"
        os.makedirs(directory)
        for name in ("bash", "make", "go", "dirname", "awk", "grep", "sed", "sort", "head", "mktemp", "rm", "touch", "cat", "sam", "aws"):
            if name != tool:
                os.symlink(shutil.which(name, path=f"{self.bin}:{os.environ['PATH']}"), f"{directory}/{name}")
        return directory

    def old_sam(self):
        """A PATH on which sam is one that is too old."""
        directory = f"{self.work}/old-sam"
        os.makedirs(directory)
        with open(f"{directory}/sam", "w") as f:
            f.write("#!/bin/sh\necho 'SAM CLI, version 1.151.0'\n")
        os.chmod(f"{directory}/sam", 0o755)
        return f"{directory}:{self.bin}:{os.environ['PATH']}"

    def stack(self):
        """The stack, its parameters and its outputs."""
        found = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return (found["StackStatus"], {p["ParameterKey"]: p["ParameterValue"] for p in found["Parameters"]},
                {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])})
