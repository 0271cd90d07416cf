"""A small server that speaks as much of SES's API (version 2) as a mailer asks."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SENT = (200, "", {"MessageId": "0100018b"})


@dataclass
class Ses:
    """What was asked (path, headers, body), and what is answered next (status, error type, body)."""

    url: str
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    answer: tuple[int, str, Any] = SENT

    @property
    def mails(self) -> list[bytes]:
        """What was handed over, as it stands in the requests."""
        return [base64.b64decode(body["Content"]["Raw"]["Data"]) for _, _, body in self.asked]

    def environment(self) -> Mapping[str, str]:
        """What the SDK reads to ask this server and no other."""
        return {
            "AWS_ENDPOINT_URL_SESV2": self.url,
            "AWS_REGION": "us-west-2",
            "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_ACCESS_KEY_ID": "AKIDOFTHETESTS",
            "AWS_SECRET_ACCESS_KEY": "the-secret-of-the-tests",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def running() -> Iterator[Ses]:
    """The server on a port of the system's choice; it ends with the context."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            said.asked.append((self.path, dict(self.headers), json.loads(body)))
            status, kind, value = said.answer
            text = json.dumps(value).encode()
            self.send_response(status)
            if kind:
                self.send_header("x-amzn-ErrorType", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    said = Ses(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield said
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
