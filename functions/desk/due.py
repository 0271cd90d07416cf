"""Due publications: what the site holds back until an instant comes out by itself while the desk serves it.

The desk knows no site. Where `bindery server PATH` made the place that is served, it left a script at
`PATH/due` that publishes what is due and says when to be called again; this module calls it at the right
moment, as a process of its own, and does nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

PAUSE = 1.0
"""Seconds between looks at the clock and at the pointer."""
AT_LEAST = timedelta(hours=1)
"""How long the script's answer counts: a clock may have been set, a folder put back from a backup."""
AFTER_TROUBLE = timedelta(minutes=5)


def script_of(public: Path) -> Path | None:
    """The script of the place whose `current/public` is served; None where there is none, or it is not ours.

    Only a file that belongs to who runs the desk is run.
    """
    pointer = public.absolute().parent
    script = pointer.parent / "due"
    try:
        owner = script.stat().st_uid
    except OSError:
        return None
    ours = owner == os.getuid() and os.access(script, os.X_OK) and script.is_file()
    return script if ours and pointer.is_symlink() else None


class DuePublication:
    """A thread that calls the script: at the start, when an instant has come, and after every publication,
    because that may hold back something new. Trouble is said on stderr and tried again."""

    def __init__(
        self, script: Path, clock: Callable[[], datetime], *, pointer: Path, pause: float = PAUSE
    ) -> None:
        self._script = script
        self._clock = clock
        self._pointer = pointer
        self._pause = pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="desk-due", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End; a publication under way is given up, which leaves the site as it is."""
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        at, seen, said = self._clock(), "", ""
        while not self._stop.is_set():
            shown = os.path.realpath(self._pointer)
            now = self._clock()
            if now >= at or shown != seen:
                told, trouble = self._call()
                if trouble and trouble != said:
                    _say(f"What is due could not be published: {trouble}")
                said = trouble
                following = _instant(told.get("next"))
                at = now + (AFTER_TROUBLE if trouble else AT_LEAST)
                if following and not trouble:
                    at = min(at, following)
                if told.get("published"):
                    _say(f"Published {told['published']}: it was due.")
                seen = os.path.realpath(self._pointer)
            self._stop.wait(self._pause)

    def _call(self) -> tuple[dict[str, str | None], str]:
        """(what the script told, what went wrong)."""
        try:
            child = subprocess.Popen(  # noqa: S603 - the script that `bindery server` made, and no input
                [self._script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            return {}, f"{self._script}: {error.strerror}"
        while True:
            try:
                out, errors = child.communicate(timeout=self._pause)
                break
            except subprocess.TimeoutExpired:
                if self._stop.is_set():
                    child.terminate()
        if child.returncode:
            return {}, "" if self._stop.is_set() else errors.decode("utf-8", "replace").strip()
        try:
            told = json.loads(out)
            return {"published": told["published"], "next": told["next"]}, ""
        except (ValueError, KeyError, TypeError):
            return {}, f"{self._script} answers what is not understood"


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the server's log
