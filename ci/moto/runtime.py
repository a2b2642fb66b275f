"""Lambda's side of the Runtime API: a real function binary, started at the first call and again after it has ended."""

import http.server
import json
import os
import queue
import subprocess
import threading
import time
import uuid

import lambda_endpoint


class Server(http.server.ThreadingHTTPServer):
    daemon_threads, block_on_close = True, False

    def handle_error(self, request, address):
        """A killed process leaves a broken connection, which is no news."""


class Function:
    """One binary and the API it asks for events. Calls are taken one at a time. Every process has an API of its own, so
    that what a killed one left waiting takes no call from the next."""

    def __init__(self, name, binary, env, log):
        self._name, self._binary, self._env, self._log = name, binary, env, log
        self._lock, self._process, self._server = threading.Lock(), None, None

    def invoke(self, event, kill=False):
        """kill ends the process as soon as it has the event."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            request = str(uuid.uuid4())
            self._calls.put((request, json.dumps(event).encode(), self._process.kill if kill else lambda: None))
            while True:
                try:
                    failed, body = self._answers.get(timeout=0.1)
                    break
                except queue.Empty:
                    if self._process.poll() is not None:
                        raise lambda_endpoint.Failed({
                            "errorType": "Runtime.ExitError",
                            "errorMessage": f"RequestId: {request} Error: Runtime exited with error: signal: killed"}) from None
            if failed:
                raise lambda_endpoint.Failed(body)
            return body

    def _start(self):
        self.stop()
        self._calls, self._answers = queue.Queue(), queue.Queue()
        self._server = Server(("127.0.0.1", 0), handler(self._calls, self._answers))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._process = subprocess.Popen(
            [self._binary], stdout=self._log, stderr=self._log,
            env=os.environ | self._env | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
                                          "AWS_LAMBDA_FUNCTION_NAME": self._name,
                                          "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "LOG_LEVEL": "debug"})

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._server.shutdown()
            self._server.server_close()


def handler(calls, answers):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):  # /2018-06-01/runtime/invocation/next
            request, event, sent = calls.get()
            self._send(200, event, {
                "Lambda-Runtime-Aws-Request-Id": request, "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 900) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:000000000000:function:f"})
            sent()

        def do_POST(self):  # …/response or …/error
            body = json.loads(self._body() or "null")
            answers.put((self.path.endswith("/error"), body))
            self._send(202, b"", {})

        def _body(self):
            """The runtime streams its answers: in chunks, each with its length in a line before it."""
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers["Content-Length"] or 0))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass  # trailers
            return body

        def _send(self, status, body, headers):
            try:
                self.send_response(status)
                for name, value in (headers | {"Content-Length": str(len(body))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:
                pass  # the process was killed

        def log_message(self, *_):
            pass
    return Handler
