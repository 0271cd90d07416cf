"""Run a command and say what it cost: processor, wall, memory, and the files that it wrote."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class Failed(Exception):
    """A measured command did not end well; the message is what it said."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    cpu: float  # seconds, user and system, of the process and all its children
    wall: float  # seconds
    memory: int  # bytes, the highest sum over the process and its children, shared pages counted once


@dataclass(frozen=True, kw_only=True)
class Output:
    files: int
    written: int  # files that are new or were written since the snapshot before
    html_pages: int
    html_bytes: int
    feed_bytes: int


Snapshot = dict[str, tuple[int, int]]


def run(command: list[str], folder: Path, environ: Mapping[str, str]) -> Cost:
    peak, stop = [0], threading.Event()
    begun = time.perf_counter()
    with (folder / "measured.log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environ), stdout=log, stderr=subprocess.STDOUT
        )
        watcher = threading.Thread(target=_watch, args=(process.pid, peak, stop))
        watcher.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        stop.set()
        watcher.join()
        if process.returncode:
            log.seek(0)
            raise Failed(f"{' '.join(command)} ended with {process.returncode}:\n{log.read()[-4000:]}")
    own = used.ru_maxrss * 1024
    return Cost(cpu=used.ru_utime + used.ru_stime, wall=wall, memory=max(peak[0], own))


def snapshot(folder: Path) -> Snapshot:
    found: Snapshot = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = f"{root}/{name}"
            stat = os.lstat(path)
            found[path] = (stat.st_mtime_ns, stat.st_ino)
    return found


def output(folder: Path, before: Snapshot) -> Output:
    after = snapshot(folder)
    html = [path for path in after if path.endswith(".html")]
    feeds = [path for path in after if path.endswith((".rss", ".atom", "feed.json")) or "/feeds/" in path]
    return Output(
        files=len(after),
        written=sum(before.get(path) != mark for path, mark in after.items()),
        html_pages=len(html),
        html_bytes=sum(Path(path).stat().st_size for path in html),
        feed_bytes=sum(Path(path).stat().st_size for path in feeds),
    )


def _watch(pid: int, peak: list[int], stop: threading.Event) -> None:
    while not stop.wait(0.1):
        peak[0] = max(peak[0], sum(map(_memory, _family(pid))))


def _family(pid: int) -> list[int]:
    family, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        family.append(each)
        try:
            tasks = list(Path(f"/proc/{each}/task").iterdir())
            for task in tasks:
                waiting += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return family


def _memory(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
