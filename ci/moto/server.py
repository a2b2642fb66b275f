"""moto's server with its Step Functions engine on, for a few hundred executions in a minute.

    MOTO_PORT=<of the Lambda endpoint> python server.py PORT SCALE

The engine is moto's own; two things around it are fixed. A second StartExecution would fail, since moto copies the state
machine for it with the executions that run, and their locks cannot be copied. And SCALE shortens waits and the delays of
retries.
"""

import copy
import sys
import time

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.stepfunctions.models import StateMachineInstance
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from werkzeug.serving import run_simple


class Clock:
    """Stands for the module `time` where retries sleep."""

    def __init__(self, scale):
        self.scale = scale

    def sleep(self, seconds):
        time.sleep(seconds * self.scale)


def without_executions(machine, _memo):
    clone = copy.copy(machine)
    clone.executions = []
    return clone


def main(port, scale):
    StateMachineInstance.__deepcopy__ = without_executions
    retrier_decl.time = Clock(scale)
    # moto's own counts whole seconds, and would never end a shorter wait.
    WaitFunction._wait_interval = lambda self, env, wait_seconds: env.program_state_event.wait(wait_seconds * scale)
    run_simple("127.0.0.1", port, DomainDispatcherApplication(create_backend_app), threaded=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
