"""A real SMTP server for tests, which can be told what to answer to whom."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

BREAK = "break"
"""As an answer to a mail: the connection breaks instead."""


class Server:
    """`rcpt` and `data` map a recipient to its answers, used up one by one; `slow` waits before each answer
    to a mail. `mails` is what came in whole, `connections` how often somebody connected."""

    def __init__(self, port: int = 0) -> None:
        self.rcpt: dict[str, list[str]] = {}
        self.data: dict[str, list[str]] = {}
        self.mails: list[tuple[str, bytes]] = []
        self.connections = 0
        self.slow = 0.0
        self.port = port or _free_port()

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        waiting = self.rcpt.get(address, [])
        if waiting:
            return waiting.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        (recipient,) = envelope.rcpt_tos
        waiting = self.data.get(recipient, [])
        answer = waiting.pop(0) if waiting else "250 OK"
        if answer == BREAK:
            self.mails.append((recipient, envelope.content))
            assert server.transport is not None
            server.transport.close()
            return "250 OK"
        if self.slow:
            await asyncio.sleep(self.slow)
        if answer.startswith("250"):
            self.mails.append((recipient, envelope.content))
        return answer

    @property
    def setting(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(server: Server) -> Iterator[Server]:
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
