"""A Lambda Invoke endpoint for the engines: functions are Python callables, called with the event."""

import http.server
import json
import threading
import urllib.parse
import uuid


class Failed(Exception):
    """The function's own error: {"errorType", "errorMessage"}."""


class Refused(Exception):
    """Lambda's error: (HTTP status, error type)."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or "null")
        function = urllib.parse.unquote(self.path.split("/functions/")[1].split("/")[0]).split(":")[-1]
        try:
            self._answer(200, self.server.invoke(function, event), {})
        except Failed as e:
            self._answer(200, e.args[0], {"X-Amz-Function-Error": "Unhandled"})
        except Refused as e:
            status, error = e.args
            self._answer(status, {"Type": "User", "message": error}, {"x-amzn-ErrorType": error})

    def _answer(self, status, value, headers):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in ({"x-amzn-RequestId": str(uuid.uuid4()), "Content-Type": "application/json",
                            "X-Amz-Executed-Version": "$LATEST", "Content-Length": str(len(body))} | headers).items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve(invoke):
    """Serves invoke(function, event) on a free port of the loopback, until shutdown()."""
    server = Server(("127.0.0.1", 0), Handler)
    server.invoke = invoke
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Script:
    """Answers by the execution's name, in order, as statemachine/testdata writes them down."""

    def __init__(self):
        self._lock = threading.Lock()
        self._answers = {}

    def expect(self, execution, answers):
        with self._lock:
            self._answers[execution] = {f: list(a) for f, a in answers.items()}

    def __call__(self, function, event):
        with self._lock:
            left = self._answers[event["execution"]["name"]].get(function, [])
            if not left:
                raise Failed({"errorType": "NoAnswerLeft", "errorMessage": f"{function} was called too often"})
            answer = left.pop(0)
        if "error" in answer:
            raise Failed(answer["error"])
        if "status" in answer:
            raise Refused(answer["status"], answer["type"])
        return answer["result"]
