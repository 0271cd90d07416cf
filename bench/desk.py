"""Durable tickets over HTTP on this machine, at 1, 4, 16 and 64 clients, beside Flask under gunicorn.

Each server is a process of its own with a new database, served as it is served to readers (`desk serve`,
mails handed over meanwhile); the clients are another process. That a ticket is synced before its answer is
read off the system calls (strace), where that is there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles

import click

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CLIENTS = (1, 4, 16, 64)
AIM = {"clients": 16, "p99": 100.0, "per_second": 400.0}


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one server did for so many clients. Milliseconds and tickets a second."""

    server: str
    clients: int
    tickets: int
    p50: float
    p99: float
    worst: float
    per_second: float


@dataclass(frozen=True, kw_only=True)
class Server:
    """How a server is started: the command has the port in it as {port}."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]


def ours(folder: Path) -> Server:
    public = folder / "public"
    (public / "data").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "desk" / "catalog.json", public / "data" / "catalog.json")
    return Server(
        name="desk serve",
        # Each ticket comes from an address of its own, which one proxy of ours has seen.
        command=(str(BIN / "desk"), "serve", "--port", "{port}", "--public", str(public), "--proxies", "1"),
        environ={"SUPPORT_VAR": str(folder / "var")},
    )


def flask(folder: Path, workers: int) -> Server:
    return Server(
        name=f"Flask, gunicorn {workers} × {16 // workers}",
        command=(
            *(str(BIN / "gunicorn"), "--chdir", str(ROOT / "bench" / "peers" / "flask")),
            *("--workers", str(workers), "--threads", str(16 // workers), "--worker-class", "gthread"),
            *(
                "--preload",
                "--keep-alive",
                "60",
                "--bind",
                "127.0.0.1:{port}",
                "--log-level",
                "warning",
                "desk:app",
            ),
        ),
        environ={"PEER_DATABASE": str(folder / "peer.sqlite3")},
    )


@contextmanager
def running(server: Server, folder: Path, trace: Path | None = None) -> Iterator[int]:
    """The port of the running server; with `trace` its system calls are written there."""
    port = _free_port()
    command = [part.replace("{port}", str(port)) for part in server.command]
    if trace is not None:
        calls = "accept,accept4,recvfrom,recvmsg,read,fsync,fdatasync,sendto,sendmsg,write"
        command = ["strace", "-f", "-s", "24", "-e", f"trace={calls}", "-o", str(trace), *command]
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env={**kept, **server.environ},
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
        )
        try:
            _wait(port, process, folder / "server.log")
            yield port
        finally:
            # The whole group: what strace runs does not end with it.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def rows(server: Server, folder: Path, clients: Iterable[int], seconds: float) -> list[Row]:
    """One row for each number of clients. Raises click.ClickException when a ticket is not taken."""
    found = []
    for count in clients:
        click.echo(f"{server.name}, {count} clients …", err=True)
        with running(server, folder) as port:
            said = _load(port, count, seconds)
        took = sorted(said["took"])
        cuts = quantiles(took, n=100, method="inclusive")
        found.append(
            Row(
                server=server.name,
                clients=count,
                tickets=len(took),
                p50=cuts[49],
                p99=cuts[98],
                worst=took[-1],
                per_second=len(took) / said["seconds"],
            )
        )
    return found


def proof(server: Server, folder: Path) -> str:
    """Whether each of some tickets was synced between its request and its answer, in words."""
    if shutil.which("strace") is None:
        return "not looked at: strace is not installed"
    trace = folder / "calls.txt"
    with running(server, folder, trace) as port:
        _load(port, 1, 0.5)
    answers, synced = synced_answers(trace.read_text(errors="replace"))
    return f"{synced} of {answers} tickets were synced to the disk between request and answer"


def synced_answers(calls: str) -> tuple[int, int]:
    """How many answers of 201 there were, and how many had an fsync or fdatasync that ended well since their
    request, in strace's lines of one client that waits for each answer."""
    answers = synced = 0
    fresh = False
    for line in calls.splitlines():
        if re.search(r'(?:recvfrom|recvmsg|read)(?:\(| resumed).*"POST /api/tickets', line):
            fresh = False
        elif re.search(r"f(?:data)?sync.*\) += 0$", line):
            fresh = True
        elif '"HTTP/1.1 201' in line:
            answers += 1
            synced += fresh
            fresh = False
    return answers, synced


def _load(port: int, clients: int, seconds: float) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "bench.load", str(port), str(clients), str(seconds)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 120)
    if ended.returncode:
        raise click.ClickException(f"a ticket was not taken: {ended.stderr}")
    return json.loads(ended.stdout)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise click.ClickException(f"the server ended: {log.read_text()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise click.ClickException("the server did not listen within 30 seconds")


@click.command()
@click.option("--seconds", type=float, default=5.0, show_default=True, help="How long each round lasts.")
@click.option("--clients", type=int, multiple=True, help="Numbers of clients. [1, 4, 16, 64]")
@click.option("--peers/--no-peers", default=True, help="Measure Flask under gunicorn too.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures to this file."
)
def main(seconds: float, clients: tuple[int, ...], peers: bool, json_file: Path | None) -> None:
    """Measure durable tickets over HTTP on this machine."""
    found: list[Row] = []
    proofs: dict[str, str] = {}
    makers = [ours]
    if peers:
        makers += [lambda folder: flask(folder, 1), lambda folder: flask(folder, 2)]
    for make in makers:
        with tempfile.TemporaryDirectory(prefix="bench-desk-") as name:
            server = make(Path(name))
            found += rows(server, Path(name), clients or CLIENTS, seconds)
            proofs[server.name] = proof(server, Path(name))
    show(found, proofs)
    if json_file:
        value = {"format": 1, "rows": [asdict(row) for row in found], "synced": proofs}
        json_file.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def show(found: list[Row], proofs: Mapping[str, str]) -> None:
    heads = ("clients", "tickets", "a second", "p50 ms", "p99 ms", "worst ms")
    click.echo("\nDurable tickets over HTTP, SQLite with WAL and synchronous=FULL\n")
    click.echo(f"{'':24}" + "".join(f"{head:>11}" for head in heads))
    for row in found:
        cells = (
            f"{row.clients}",
            f"{row.tickets:,}",
            f"{row.per_second:,.0f}",
            f"{row.p50:.1f}",
            f"{row.p99:.1f}",
            f"{row.worst:.1f}",
        )
        click.echo(f"{row.server:24}" + "".join(f"{cell:>11}" for cell in cells))
    click.echo()
    for server, said in proofs.items():
        click.echo(f"{server}: {said}.")
    for row in found:
        if (row.server, row.clients) == ("desk serve", AIM["clients"]):
            reached = row.p99 <= AIM["p99"] and row.per_second >= AIM["per_second"]
            click.echo(
                f"\nAim at {row.clients} clients: p99 at most {AIM['p99']:.0f} ms, at least "
                f"{AIM['per_second']:.0f} a second: {'reached' if reached else 'MISSED'}"
            )


if __name__ == "__main__":
    main(prog_name="python -m bench.desk")
