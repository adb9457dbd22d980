"""An approver's service: a real HTTP server on loopback that answers as it is told to."""

import datetime as dt
import http.server
import json
import threading
from contextlib import contextmanager
from datetime import timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lfr.domain.authority import Approval
from lfr.domain.signing import sign

JUDGE = Ed25519PrivateKey.generate()


class Court(http.server.BaseHTTPRequestHandler):
    """Answers as its server was told to."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked)
        status, body = self.server.answer(asked)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def court(answer, context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Court)
    server.answer, server.asked = answer, []
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def judge(asked, key=JUDGE, **changed):
    """Signs whatever it is asked for."""
    at = dt.datetime.now(dt.UTC).replace(microsecond=0)
    given = {
        "deployment_id": asked["deployment_id"], "approver": asked["approver"], "plan_digest": asked["plan_digest"],
        "decision": "approve", "at": at, "expires_at": at + timedelta(hours=8),
    }  # fmt: skip
    return 200, sign(msgspec.convert(given | changed, Approval), key).encode()
