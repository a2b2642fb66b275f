"""Lets `sam local` reach the system that `make up` runs, until it is interrupted: makes the image in which the functions
run, with the way to that system in its environment, writes .local/sam.json with the functions' variables, and forwards the
containers' network to this machine's loopback. ci/sam_local.py is the check of the same.
"""

import json
import os
import re
import signal
import subprocess

import services

NAMES = ("BUCKET", "STATE_MACHINE_ARN", "BATCH_STATE_MACHINE_ARN", "SYNC_STATE_MACHINE_ARN")


def environment():
    """What `make up` wrote for other tools."""
    try:
        with open(".local/env") as f:
            return dict(re.findall(r"^export (\w+)='?([^'\n]*)'?$", f.read(), re.M))
    except FileNotFoundError:
        raise SystemExit("make up does not run: start it in another terminal") from None


def main():
    env = environment()
    os.environ |= env
    subprocess.run(["bash", "ci/docker.sh"], check=True)
    os.makedirs(".local/bin", exist_ok=True)
    subprocess.run(["go", "build", "-C", "ci", "-o", "../.local/bin/forward", "./forward"], check=True)
    ports = {9090: 9090, 7070: services.port_of(env["AWS_ENDPOINT_URL_S3"]), 8083: services.port_of(env["AWS_ENDPOINT_URL_SFN"])}
    s3 = services.S3(env["AWS_ENDPOINT_URL_S3"], ports[7070], "", env["AWS_CA_BUNDLE"], env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
    with services.reachable(ports.values(), ".local/bin/forward") as host:
        services.image(s3, {inside: f"{host}:{port}" for inside, port in ports.items()})
        services.variables(".local/sam.json", {n: env[n] for n in NAMES})
        arch = "arm64" if os.uname().machine in ("arm64", "aarch64") else "x86_64"
        local = f"-n .local/sam.json --parameter-overrides Architecture={arch} --skip-pull-image"
        print(f"""
Ready until you press Ctrl-C. In another terminal:

    . .local/env
    GOARCH_LAMBDA={'arm64' if arch == 'arm64' else 'amd64'} sam build --parameter-overrides Architecture={arch}
    sam local invoke LaunchFunction -e functions/launch/event.json {local}
    sam local start-api -p 3001 {local}""", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
