"""The desk's front on one machine: one process, threads, the published site and the desk at one address.

waitress speaks HTTP; `gateway` stands for API Gateway, `file_links` for S3, `published` for CloudFront and
its bucket. Here they are put together, every answer gets the security headers, and a line per request is
logged that holds no token, no query and no address.
"""

from __future__ import annotations

import logging
import re
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer, create_server
from waitress.task import ErrorTask

from chalicelib import answers, bodies, clients, exchange
from chalicelib.answers import Answer
from chalicelib.exchange import Exchange, MethodNotAllowed, Service
from chalicelib.local_site import LocalSite
from chalicelib.pace import POSTS, WRONG_KEYS, Allowance, Guesses, Guessing, Pace
from chalicelib.refusals import Refused
from chalicelib.wiring import Desk
from desk import file_links
from desk.gateway import Gateway, raw_path, request_headers
from desk.published import Published, Sent

THREADS = 16
SWITCH = 0.0005
"""Seconds that a thread may compute while another wants to. With Python's own 0.005 whoever comes back from
the disk, with the write lock in hand, waits ten times as long behind those that only compute."""
HEADER_TIME = 20.0
"""Seconds in which the headers of a request must have come, however busily its sender dribbles."""
GRACE = 10.0
"""Seconds that requests under way have to finish after the signal to stop."""
# Ours are the limits that answer with a page; this one only keeps a flood off the disk.
_BACKSTOP = 2 * file_links.UPLOAD_LIMIT
_HEADER_LIMIT = 64 * 1024
_CHUNK = 1 << 16
_log = logging.getLogger("desk.requests")


@dataclass(frozen=True, kw_only=True)
class _Ready:
    """An answer on its way out: a status, all headers, and what to send."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Iterable[bytes]
    length: int


class Front:
    """The WSGI application. `desk` answers, `public` is the folder of the site (it may lead over a link)."""

    def __init__(
        self,
        desk: Desk,
        public: Path,
        *,
        posts: Allowance = POSTS,
        wrong_keys: Guessing = WRONG_KEYS,
        proxies: int = 0,
    ) -> None:
        from app import app

        self._published = Published(public)
        self._service = Service(
            desk=desk,
            site=self._site,
            posts=Pace(posts, time.monotonic),
            wrong_keys=Guesses(wrong_keys, time.monotonic),
            proxies=proxies,
        )
        self._gateway = Gateway(app, app.routes)
        self._security = answers.security_headers(desk.settings.url)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began = time.monotonic()
        request_id = secrets.token_hex(8)
        environ["desk.request_id"] = request_id
        path = raw_path(environ)
        try:
            ready = self._ready(environ, path)
        except Exception:
            logging.getLogger("desk").exception("a fault of ours, request %s", request_id)
            ready = self._of_answer(answers.problem(exchange.broken(request_id)))
        headers = [pair for pair in ready.headers if pair[0] != "X-Request-Id"]
        headers.append(("X-Request-Id", request_id))
        if ready.status not in (204, 304):
            headers.append(("Content-Length", str(ready.length)))
        start_response(f"{ready.status} {HTTPStatus(ready.status).phrase}", headers)
        _log.info(
            "%s %s %d %d bytes %.0f ms %s",
            environ["REQUEST_METHOD"],
            loggable(path),
            ready.status,
            ready.length,
            (time.monotonic() - began) * 1000,
            request_id,
        )
        if environ["REQUEST_METHOD"] == "HEAD" or ready.status in (204, 304):
            close = getattr(ready.body, "close", None)
            if close is not None:
                close()
            return []
        return ready.body

    def _site(self) -> LocalSite | None:
        root = self._published.root()
        return LocalSite(root) if root is not None else None

    def _ready(self, environ: WSGIEnvironment, path: str) -> _Ready:
        if path == "/api" or path.startswith("/api/"):
            reply = self._gateway(environ, self._service, bodies.LIMIT)
            return _Ready(
                status=reply.status, headers=reply.headers, body=[reply.body], length=len(reply.body)
            )
        if path.startswith("/files/"):
            return self._file_link(environ, path.removeprefix("/files/"))
        headers = dict(request_headers(environ))
        sent = self._published.answer(
            environ["REQUEST_METHOD"],
            path,
            environ.get("QUERY_STRING", ""),
            lambda name: headers.get(name, ""),
        )
        return self._of_sent(sent, environ, path)

    def _file_link(self, environ: WSGIEnvironment, word: str) -> _Ready:
        headers = dict(request_headers(environ))
        here = Exchange(
            method=environ["REQUEST_METHOD"],
            headers=headers,
            body=b"",
            client=clients.address(
                environ.get("REMOTE_ADDR", ""), headers.get("x-forwarded-for", ""), self._service.proxies
            ),
            service=self._service,
            request_id=environ["desk.request_id"],
        )
        allow = ("Allow", "OPTIONS, POST" if word == file_links.UPLOAD else "GET, HEAD, OPTIONS")
        if here.method == "OPTIONS":
            return self._of_answer(Answer(status=204, headers=(allow,)))
        try:
            if word != file_links.UPLOAD:
                return self._of_sent(file_links.download(here, word), environ)
            here.admit()
            length = int(environ.get("CONTENT_LENGTH") or 0)
            return self._of_answer(file_links.upload(here, environ["wsgi.input"], length))
        except Refused as trouble:
            answer = file_links.refused(here, trouble)
            named = (*answer.headers, allow) if isinstance(trouble, MethodNotAllowed) else answer.headers
            return self._of_answer(replace(answer, headers=named))

    def _of_answer(self, answer: Answer) -> _Ready:
        typed = (("Content-Type", answer.content_type),) if answer.content_type else ()
        body = answer.body.encode("utf-8", "replace")
        return _Ready(
            status=answer.status,
            headers=(*typed, *answer.headers, *answers.PRIVATE_HEADERS, *self._security),
            body=[body],
            length=len(body),
        )

    def _of_sent(self, sent: Sent, environ: WSGIEnvironment, path: str = "") -> _Ready:
        security = self._security
        if path == answers.SEARCH_WORKER:
            security = answers.security_headers(self._service.desk.settings.url, path)
        headers = (*sent.headers, *security)
        if sent.file is None:
            return _Ready(status=sent.status, headers=headers, body=[sent.body], length=len(sent.body))
        wrap: Callable[..., Iterable[bytes]] = environ["wsgi.file_wrapper"]
        return _Ready(status=sent.status, headers=headers, body=wrap(sent.file, _CHUNK), length=sent.length)


def loggable(path: str) -> str:
    """A path without what opens anything: tokens and signed words are cut, and nothing can break a line."""
    cut = re.sub(
        r"^/(api/(?:tickets|renewals|downloads|sign-in|calendar|subscriptions/(?:confirm|leave))|files)"
        r"/(?!upload$)[^/]*",
        r"/\1/…",
        path,
    )
    return re.sub(r"[^\x21-\x7e…]", "?", cut)[:200]


class _Refusal(ErrorTask):  # type: ignore[misc]
    """What waitress itself refuses (no HTTP, headers or a body beyond all limits), in our form."""

    def execute(self) -> None:
        error = self.request.error
        said = exchange.unreadable(int(error.code))
        answer = answers.problem(said)
        body = answer.body.encode()
        request_id = secrets.token_hex(8)
        _log.info("unreadable %d %s %s", answer.status, error.reason, request_id)
        self.status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        self.response_headers = [
            ("X-Request-Id", request_id),
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(body))),
            *answers.PRIVATE_HEADERS,
            *answers.SECURITY_HEADERS,
            ("Connection", "close"),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = _Refusal
    header_time = HEADER_TIME
    began = 0.0

    def received(self, data: bytes) -> Any:
        if self.request is None:
            self.began = time.monotonic()
        return super().received(data)

    def readable(self) -> Any:
        """Looked at in each round of the server: also gives up who never comes to the end of the headers."""
        request = self.request
        if request is not None and not request.headers_finished:
            self.will_close |= time.monotonic() - self.began > self.header_time
        return super().readable()

    def handle_close(self) -> None:
        """Also lets go of what came of a request that broke off."""
        if self.request is not None:
            self.request.close()
        super().handle_close()


class Server:
    """A listening server. `url` is where it can be reached; `run` serves until `stop` is called."""

    def __init__(
        self, front: Front, *, host: str, port: int, threads: int, header_time: float = HEADER_TIME
    ) -> None:
        self._map: dict[int, Any] = {}
        self._waitress: TcpWSGIServer = create_server(
            front,
            map=self._map,
            host=host,
            port=port,
            threads=threads,
            ident=None,
            connection_limit=1000,
            backlog=1024,
            channel_timeout=60,
            cleanup_interval=15,
            asyncore_use_poll=True,
            max_request_body_size=_BACKSTOP,
            max_request_header_size=_HEADER_LIMIT,
            log_socket_errors=False,
            # Whom a proxy saw is read by `chalicelib.clients`; no other word of a proxy is believed.
            clear_untrusted_proxy_headers=False,
        )
        self._waitress.channel_class = type("_Channel", (_Channel,), {"header_time": header_time})
        # Fifty clicks at once are no warning.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._stopping = threading.Event()
        self._waking, self._asleep = threading.RLock(), False

    @property
    def port(self) -> int:
        return int(self._waitress.effective_port)

    @property
    def url(self) -> str:
        host = self._waitress.effective_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def run(self) -> None:
        """Serves; after `stop` takes no more connections, finishes what is under way and returns."""
        loop = self._waitress.asyncore.loop
        while not self._stopping.is_set():
            loop(timeout=1.0, map=self._map, use_poll=True, count=1)
        self._waitress.accepting = False
        self._waitress.socket.close()
        self._map.pop(self._waitress._fileno, None)
        ends = time.monotonic() + GRACE
        while self._busy() and time.monotonic() < ends:
            loop(timeout=0.05, map=self._map, use_poll=True, count=1)
        self._waitress.task_dispatcher.shutdown()
        for channel in list(self._waitress.active_channels.values()):
            channel.handle_close()
        with self._waking:
            self._waitress.trigger.close()
            self._asleep = True

    def stop(self) -> None:
        """Asks `run` to end; may be called from a signal handler or another thread."""
        if not self._stopping.is_set():
            self._stopping.set()
            # `run` may see that by itself, and be gone before it is woken.
            with self._waking:
                if not self._asleep:
                    self._waitress.pull_trigger()

    def _busy(self) -> bool:
        return any(
            channel.requests or channel.total_outbufs_len
            for channel in self._waitress.active_channels.values()
        )


def serve(
    public: Path,
    port: int,
    host: str = "127.0.0.1",
    *,
    desk: Desk,
    threads: int = THREADS,
    proxies: int | None = None,
    posts: Allowance = POSTS,
    tell: Callable[[str], None],
) -> None:
    """Serves `public` and the desk until SIGTERM or SIGINT, then finishes what is under way.

    `proxies` is how many reverse proxies of ours stand in front (None: as the settings say): the client's
    address is then the one that the outermost of them saw. `tell` gets the line with the address. Raises
    OSError when the port is taken.
    """
    log = logging.getLogger("desk")
    if not log.handlers:
        # A journal or a terminal gives the time; nothing else of ours speaks to standard error.
        log.addHandler(logging.StreamHandler())
        log.setLevel(logging.INFO)
    sys.setswitchinterval(SWITCH)
    front = Front(desk, public, posts=posts, proxies=desk.settings.proxies if proxies is None else proxies)
    server = Server(front, host=host, port=port, threads=threads)
    earlier = {
        number: signal.signal(number, lambda *_: server.stop()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    tell(f"The support site and its desk are at {desk.settings.url} (listening on {server.url}).")
    try:
        server.run()
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


@contextmanager
def running(
    front: Front,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    threads: int = THREADS,
    header_time: float = HEADER_TIME,
) -> Iterator[Server]:
    """A server in a thread of its own, for as long as the block runs. Port 0: one that is free."""
    server = Server(front, host=host, port=port, threads=threads, header_time=header_time)
    thread = threading.Thread(target=server.run, name="server")
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
