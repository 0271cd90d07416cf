"""A function as Lambda runs it: AWS's own runtime client in a fresh process, and the API that it asks.

What is measured begins when the process does and ends when its answer is here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Any

PATIENCE = 60.0
"""Seconds for one answer."""


class NoAnswer(Exception):
    """A function did not answer, or answered that it failed; the message is what it said."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a fresh process did: its answers, the seconds to the first, and the processor's until it was
    ended."""

    answers: Sequence[Any]
    wall: float
    cpu: float


def run(folder: Path, handler: str, events: Sequence[object], environ: Mapping[str, str]) -> Run:
    """Start `handler` (`module.name`) in `folder`, hand it the events one by one, and end it.

    `environ` is all it sees beside what Lambda itself sets. Raises NoAnswer.
    """
    work: SimpleQueue[object] = SimpleQueue()
    done: SimpleQueue[tuple[float, str, bytes]] = SimpleQueue()
    for event in events:
        work.put(event)

    class Api(_Api):
        to_do, answered = work, done

    server = _Server(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    given = {
        **environ,
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
        "LAMBDA_TASK_ROOT": str(folder),
        # Lambda's folder of functions cannot be written to.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(folder),
    }
    command = [sys.executable, "-m", "awslambdaric", handler]
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        got = [done.get(timeout=PATIENCE) for _ in events]
        failed = [body for _, kind, body in got if kind != "response"]
    except Exception:
        got, failed = [], [b"no answer"]
    finally:
        process.kill()
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = -9
        server.shutdown()
        server.server_close()
    with process.stdout:  # type: ignore[union-attr]
        said = process.stdout.read().decode("utf-8", "replace")  # type: ignore[union-attr]
    if failed:
        raise NoAnswer(f"{handler}: {failed[0].decode()}\n{said}")
    return Run(
        answers=[json.loads(body) for _, _, body in got],
        wall=got[0][0] - begun,
        cpu=used.ru_utime + used.ru_stime,
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A process that was ended while it asked for more is no error."""


class _Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    to_do: SimpleQueue[object]
    answered: SimpleQueue[tuple[float, str, bytes]]

    def do_GET(self) -> None:
        body = json.dumps(self.to_do.get()).encode()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "one")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 300) * 1000)))
        self.send_header(
            "Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-west-2:1:function:measured"
        )
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self._chunks() if "chunked" in self.headers.get("Transfer-Encoding", "") else self._all()
        self.answered.put((time.perf_counter(), self.path.rpartition("/")[2], body))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _all(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_: object) -> None:
        pass
