"""Clients that send tickets: raw sockets, kept alive, each with one request under way; one light process.

`python -m bench.load PORT CLIENTS SECONDS` prints one line of JSON: the milliseconds that each ticket took,
in the order of their answers, and how long all took. Anything but 201 ends it with exit 1.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
import uuid
from dataclasses import dataclass, field

WARM = 1.0
"""Seconds before the first answer that counts."""


@dataclass
class Client:
    """One connection. `number` is an address of its own: nobody's limit is measured here."""

    number: int
    port: int
    sent: float = 0.0
    said: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.line = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.turn = 0

    def send(self) -> None:
        self.turn += 1
        who = f"{self.turn}.{self.number}@example.org"
        body = json.dumps(
            {
                "name": "Pat Reader",
                "email": who,
                "kind": "question",
                "severity": "P3",
                "product": "cityworks",
                "version": "15.8.9",
                "subject": f"Ticket {self.turn} of client {self.number}",
                "description": "What was done, what happened and what was expected. " * 8,
            }
        ).encode()
        address = f"10.{self.number}.{self.turn // 250 % 250}.{self.turn % 250}"
        head = (
            "POST /api/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Accept: application/json\r\nIdempotency-Key: {uuid.uuid4()}\r\nX-Forwarded-For: {address}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.said.clear()
        self.sent = time.perf_counter()
        self.line.sendall(head.encode() + body)

    def answered(self) -> bool:
        """Whether the answer is whole. Raises RuntimeError for another one than 201."""
        chunk = self.line.recv(1 << 16)
        if not chunk:
            raise RuntimeError(f"the server closed the line: {bytes(self.said)!r}")
        self.said += chunk
        head, parted, body = bytes(self.said).partition(b"\r\n\r\n")
        if not parted:
            return False
        lower = head.lower()
        length = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) < length:
            return False
        if not head.startswith(b"HTTP/1.1 201 "):
            raise RuntimeError(f"{head.decode()}\n{body[:500].decode()}")
        return True


def load(port: int, clients: int, seconds: float) -> dict[str, object]:
    """Sends for `WARM` + `seconds`; what was answered in the latter counts."""
    poll, lines = select.epoll(), {}
    for number in range(clients):
        client = Client(number, port)
        lines[client.line.fileno()] = client
        poll.register(client.line, select.EPOLLIN)
        client.send()
    took: list[float] = []
    begins = time.perf_counter() + WARM
    ends, now = begins + seconds, 0.0
    while now < ends:
        for handle, _ in poll.poll(30):
            client = lines[handle]
            if not client.answered():
                continue
            now = time.perf_counter()
            if begins <= now:
                took.append(1000 * (now - client.sent))
            client.send()
    for client in lines.values():
        client.line.close()
    return {"took": took, "seconds": now - begins}


if __name__ == "__main__":
    try:
        print(json.dumps(load(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))))
    except RuntimeError as trouble:
        sys.exit(str(trouble))
