"""What is due comes out by itself, once, and nothing of it a moment before."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bindery import binding, origin, publications, publish
from bindery.source import Problems

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
INSTANT = datetime(2041, 12, 1, 15, tzinfo=UTC)  # far from the day on which a test runs
BEFORE = INSTANT - timedelta(seconds=1)
HELD = "---\ntitle: The Quetzal\npublish_at: %s\n---\n\nQuetzal.\n"

pytestmark = pytest.mark.slow


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def push(folder: Path, content: Path, server: Path, message: str = "A change") -> None:
    if not (folder / ".git").exists():
        run(folder, "git", "init", "--quiet", "--initial-branch=main")
        shutil.copytree(ROOT / "site", folder / "site")
    who = ("-c", "user.name=Ada", "-c", "user.email=a@b.example")
    run(folder, "git", "add", "--all", content.name, "site")
    run(folder, "git", *who, "commit", "--quiet", "--message", message)
    run(folder, "git", "push", "--quiet", str(server / "site.git"), "main")


@pytest.fixture
def server(tmp_path: Path) -> Path:
    path = tmp_path / "server"
    run(tmp_path, str(BIN / "bindery"), "server", str(path), "--url", "https://support.example")
    return path


def place(server: Path, now: datetime, said: list[str] | None = None) -> origin.Origin:
    heard: list[str] = [] if said is None else said
    return origin.Origin(
        path=server, build=binding.build, environ=os.environ, clock=lambda: now, say=heard.append
    )


def holding(server: Path, word: str = "quetzal") -> list[str]:
    root = (server / "current").resolve()
    return [
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and (word in path.name or word in path.read_text("utf-8", "ignore").lower())
    ]


def test_it_is_published_at_its_instant_and_not_again(
    small: Callable[..., Path], tmp_path: Path, server: Path
) -> None:
    push(tmp_path, small({"help/quetzal.md": HELD % INSTANT.isoformat()}), server)
    origin.publish_due(place(server, BEFORE))  # the holidays of other years
    assert holding(server) == []
    assert origin.publish_due(place(server, BEFORE)) is None
    first = publications.current_name(publications.Folder(path=server))

    made = origin.publish_due(place(server, INSTANT))
    assert made is not None and made.id != first and made.replaced == first
    assert made.commit is not None and made.commit.subject == "A change"
    assert "public/help/quetzal/index.html" in holding(server)
    assert publications.damage(publications.Folder(path=server), made.id) == []
    assert origin.publish_due(place(server, INSTANT)) is None
    assert publications.current_name(publications.Folder(path=server)) == made.id


def test_a_rollback_stands_whatever_is_due(small: Callable[..., Path], tmp_path: Path, server: Path) -> None:
    content = small({"help/quetzal.md": HELD % INSTANT.isoformat()})
    push(tmp_path, content, server)
    folder = publications.Folder(path=server)
    made = origin.publish_due(place(server, INSTANT))
    assert made is not None
    publish.rollback(folder, None, now=INSTANT)
    said: list[str] = []
    assert origin.publish_due(place(server, INSTANT, said)) is None
    assert said == [f"the site was rolled back from {made.id}: that stands until the next push"]
    assert holding(server) == []


def test_a_push_that_comes_in_between_wins(small: Callable[..., Path], tmp_path: Path, server: Path) -> None:
    push(tmp_path, small(), server)
    folder = publications.Folder(path=server)
    over = publications.current(folder)
    assert over is not None
    (small() / "help/start.md").write_text("---\ntitle: Start\n---\n\nNew words.\n")
    push(tmp_path, tmp_path / "content", server)
    here = publications.current_name(folder)
    assert publish.publish_again(folder, server / "work/dist", over=over, now=INSTANT) is None
    assert publications.current_name(folder) == here


def test_what_cannot_be_built_on_its_day_changes_nothing_and_is_told(
    small: Callable[..., Path], tmp_path: Path, server: Path
) -> None:
    content = small({"help/quetzal.md": HELD % INSTANT.isoformat()})
    push(tmp_path, content, server)
    here = publications.current_name(publications.Folder(path=server))

    def broken(*_: object, **__: object) -> None:
        raise Problems([])

    with pytest.raises(Problems):
        origin.publish_due(
            origin.Origin(path=server, build=broken, environ=os.environ, clock=lambda: INSTANT, say=[].append)
        )
    assert publications.current_name(publications.Folder(path=server)) == here


def test_nothing_was_pushed_yet(server: Path) -> None:
    said: list[str] = []
    assert origin.publish_due(place(server, INSTANT, said)) is None
    assert said == ["nothing was pushed yet"]


def test_the_script_of_the_place_says_when_to_call_it_again(
    small: Callable[..., Path], tmp_path: Path, server: Path
) -> None:
    push(tmp_path, small({"help/quetzal.md": HELD % INSTANT.isoformat()}), server)
    told = json.loads(run(tmp_path, str(server / "due")))
    assert told["published"] is None
    assert told["next"] == INSTANT.isoformat()
    words = run(tmp_path, str(BIN / "bindery"), "due", "--publish", str(server)).splitlines()
    assert words == ["Nothing was due; the site is as it was.", f"The next instant is {INSTANT.isoformat()}."]


def test_a_place_that_is_none_is_named(tmp_path: Path) -> None:
    command = [str(BIN / "bindery"), "due", "--publish", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"Error: PATH must be a place that `bindery server` made, not {tmp_path / 'none'}\n"


def test_the_desk_that_serves_the_place_publishes_what_is_due(
    small: Callable[..., Path], tmp_path: Path, server: Path
) -> None:
    instant = (datetime.now(UTC) + timedelta(seconds=12)).replace(microsecond=0)
    push(tmp_path, small({"help/quetzal.md": HELD % instant.isoformat()}), server)
    assert holding(server) == []
    desk = subprocess.Popen(
        [str(BIN / "desk"), "serve", "--port", "0", "--public", str(server / "current/public")],
        cwd=tmp_path,
        env={**os.environ, "SUPPORT_VAR": str(tmp_path / "var")},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        page = server / "current/public/help/quetzal/index.html"
        while datetime.now(UTC) < instant:
            assert not page.exists()
            time.sleep(0.2)
        until = instant + timedelta(seconds=60)
        while not page.exists() and datetime.now(UTC) < until:
            time.sleep(0.2)
        assert page.exists()
        # It says so a moment after the page is there; one that never did would be ended and say nothing more.
        overdue = threading.Timer(60, desk.terminate)
        overdue.start()
        assert desk.stderr
        said = ""
        while ": it was due." not in said and (line := desk.stderr.readline()):
            said += line
        overdue.cancel()
    finally:
        desk.terminate()
        desk.communicate()
    assert ": it was due." in said
