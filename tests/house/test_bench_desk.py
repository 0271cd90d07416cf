"""What the bench says of the desk is true: tickets are taken, and synced before they are answered."""

from __future__ import annotations

import importlib
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    yield importlib.import_module("bench.desk")
    for name in [name for name in sys.modules if name.split(".")[0] == "bench"]:
        del sys.modules[name]


ASKED = '7 recvfrom(10, "POST /api/tickets HTTP/1"..., 8192, 0, NULL, NULL) = 814'
SYNCED = "8 fdatasync(4)                      = 0"
ANSWERED = '8 sendto(10, "HTTP/1.1 201 Created\\r\\nCa"..., 749, 0, NULL, 0) = 749'
LOGGED = '8 write(2, "POST /api/tickets 201 92"..., 54) = 54'


@pytest.mark.parametrize(
    ("calls", "found"),
    [
        ([ASKED, SYNCED, LOGGED, ANSWERED], (1, 1)),
        ([ASKED, "8 fdatasync(4 <unfinished ...>", "8 <... fdatasync resumed>) = 0", ANSWERED], (1, 1)),
        ([ASKED, ANSWERED, SYNCED], (1, 0)),
        ([SYNCED, ASKED, ANSWERED], (1, 0)),
        ([ASKED, "8 fdatasync(4)     = -1 EIO (Input/output error)", ANSWERED], (1, 0)),
        ([ASKED, SYNCED, ANSWERED, ASKED, ANSWERED], (2, 1)),
    ],
)
def test_an_answer_counts_as_synced_when_the_disk_said_so_after_its_request(
    desk: Any, calls: list[str], found: tuple[int, int]
) -> None:
    assert desk.synced_answers("\n".join(calls)) == found


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_ticket_is_synced_to_the_disk_before_its_number_is_told(desk: Any, tmp_path: Path) -> None:
    """Promise 1: a ticket that got a number is on disk."""
    said = desk.proof(desk.ours(tmp_path), tmp_path)
    synced, tickets = re.match(r"([0-9]+) of ([0-9]+) tickets were synced", said).groups()  # type: ignore[union-attr]
    assert int(synced) == int(tickets) > 0


@pytest.mark.slow
def test_the_bench_measures_tickets(desk: Any, tmp_path: Path) -> None:
    (row,) = desk.rows(desk.ours(tmp_path), tmp_path, [2], 0.5)
    assert row.tickets > 0
    assert 0 < row.p50 <= row.p99 <= row.worst
