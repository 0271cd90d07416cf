"""A preview: build on every save, reload in the browser, forms working.

The desk's own server serves it, as a process of its own, so that forms and answers are the real ones. The
preview knows the desk only by its command.
"""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from bindery import binding
from bindery.binding import Built
from bindery.source import Problems

SETTLE = 0.15  # seconds; editors save in several steps


class _Saves(FileSystemEventHandler):
    def __init__(self, saves: queue.Queue[str]) -> None:
        self._saves = saves

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in ("created", "modified", "moved", "deleted") and not event.is_directory:
            self._saves.put(str(event.src_path))


def preview(
    content: Path,
    site: Path,
    out: Path,
    *,
    port: int,
    now: Callable[[], datetime],
    tell: Callable[[str], None],
    cache: Path | None,
    environment: Mapping[str, str],
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Serve until interrupted or `stop()`; the exit code. Problems are told, and the last good build stays.

    Raises Problems when not even the first build can be made.
    """
    url = f"http://localhost:{port}"

    def build() -> Built:
        return binding.build(
            content, site, out, now=now(), url=url, cache=cache, preview=True, search=True, cards=True
        )

    build()
    saves: queue.Queue[str] = queue.Queue()
    observer = Observer()
    for folder in (content, site):
        observer.schedule(_Saves(saves), str(folder), recursive=True)
    observer.start()
    server = subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, "-m", "desk", "serve", "--port", str(port), "--public", str(out / "public")],
        env={**environment, "SUPPORT_URL": url},
    )
    tell(f"Preview of {content} at {url} — it is built again at every save; stop with Ctrl-C.")
    try:
        while server.poll() is None and not stop():
            try:
                saves.get(timeout=0.5)
            except queue.Empty:
                continue
            while True:
                try:
                    saves.get(timeout=SETTLE)
                except queue.Empty:
                    break
            try:
                built = build()
            except Problems as error:
                for problem in error.problems:
                    tell(str(problem))
                tell("The page stays as it was until this is mended.")
            else:
                if not built.nothing_changed and built.written:
                    tell("Rendered " + (", ".join(f"/{page}" for page in built.rendered) or "no page"))
    except KeyboardInterrupt:
        pass
    finally:
        observer.stop()
        observer.join()
        if server.poll() is None:
            server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=15)
    return 0 if code in (0, -signal.SIGTERM) else code
