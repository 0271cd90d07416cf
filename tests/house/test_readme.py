"""Every command that the README shows is run as it stands there, in a copy of this repository.

The copy borrows the environment of this one and has ports of its own; nothing else is changed.
What serves is started, waited for and stopped; what would run these tests again is asked what it would do.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chalicelib import wiring

HOUSE = Path(__file__).parents[2]
README = (HOUSE / "README.md").read_text(encoding="utf-8")
BLOCKS = [block.strip() for block in re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)]
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line and not line.startswith("#")]

# These serve until they are stopped; the README's later commands talk to them.
SERVING = ("make serve", "bindery preview", "desk serve")
# These run the tests, this one among them, or measure for many minutes: make is asked what it would do.
ASKED = ("make test", "make check", "make bench")
MADE_HERE = {".venv", "dist", "var", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


@dataclass
class Reader:
    """Somebody at a terminal in a fresh copy of the repository, who types what the README says."""

    repository: Path
    environment: dict[str, str]
    port: int
    serving: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def types(self, command: str) -> str:
        """Run one line of the README; what it said."""
        as_here = re.sub(r"\b800([0-2])\b", lambda port: str(self.port + int(port[1])), command)
        if as_here.startswith(SERVING):
            return self._starts(as_here)
        if as_here.startswith(ASKED):
            as_here = as_here.replace("make ", "make --dry-run ", 1)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", as_here],
            cwd=self.repository,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _starts(self, command: str) -> str:
        given = re.search(r"--port (\d+)", command)
        port = int(given[1]) if given else self.port
        self.stops(port)
        log = self.repository.parent / f"serving-{port}.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", command],
                cwd=self.repository,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.serving[port] = process
        until = time.monotonic() + 240
        while time.monotonic() < until:
            assert process.poll() is None, f"$ {command}\n{log.read_text()}"
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://localhost:{port}/") as answer:
                assert answer.status == 200
                return log.read_text()
            time.sleep(0.2)
        raise AssertionError(f"$ {command} does not answer at port {port}\n{log.read_text()}")

    def stops(self, *ports: int) -> None:
        """Ctrl-C in the terminals that serve at these ports."""
        for port in ports:
            process = self.serving.pop(port, None)
            if process is None or process.poll() is not None:
                continue
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)


def _free_ports() -> int:
    """A port that is free together with the two after it."""
    while True:
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            first = held.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            for beside in (port + 1, port + 2):
                held.enter_context(socket.socket()).bind(("127.0.0.1", beside))
            return port


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("reader")
    repository = home / "repository"
    shutil.copytree(
        HOUSE,
        repository,
        symlinks=True,
        ignore=lambda _, names: [n for n in names if n in MADE_HERE or n == "__pycache__"],
    )
    environment_folder = repository / ".venv"
    environment_folder.mkdir()
    for entry in (HOUSE / ".venv").iterdir():
        if not entry.name.startswith("."):
            (environment_folder / entry.name).symlink_to(entry)
    for made in (".python", ".runtime", ".dev"):
        (environment_folder / made).touch()  # newest of all, so make never installs into this one
    port = _free_ports()
    kept = ("PATH", "LANG", "LC_ALL", "TERM", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ} | {
        "HOME": str(home),
        "PATH": f"{HOUSE / '.venv/bin'}:{os.environ['PATH']}",
        "PORT": str(port),  # what `make serve` takes, as README's 8000 is taken here
        "URL": f"http://localhost:{port}",
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _NAME.items()},
    }
    for command in (["init", "-qb", "main"], ["add", "--all"], ["commit", "-qm", "As cloned"]):
        subprocess.run(["git", *command], cwd=repository, env=environment, check=True)
    person = Reader(repository=repository, environment=environment, port=port)
    yield person
    person.stops(*list(person.serving))


_NAME = {"NAME": "Reader", "EMAIL": "reader@example.com"}


@pytest.mark.slow
def test_every_command_of_the_readme_works_in_its_order(reader: Reader) -> None:
    said = [(command, reader.types(command)) for command in COMMANDS]

    def answers(beginning: str) -> list[str]:
        return [text for command, text in said if command.startswith(beginning)]

    for agreement in ("DEMO-CURRENT", "DEMO-LAPSED", "DEMO-NEW", "DEMO-SEATS"):
        assert agreement in answers("make serve")[0]
        assert agreement in (reader.repository / "var/demo-agreements.txt").read_text(encoding="utf-8")
    assert "is supported until 2027-01-28, because" in answers("bindery explain")[0]
    ticket = json.loads(answers("curl")[0])
    assert ticket["route"]["name"] == "Programming"
    assert [issue["id"] for issue in ticket["known"]["known_issues"]] == ["CW-2388"]
    before, after = answers("desk tickets list")
    assert re.search(rf"^{ticket['number']} +open ", before, re.MULTILINE)
    assert re.search(rf"^{ticket['number']} +answered ", after, re.MULTILINE)
    assert list((reader.repository / "var/mail").glob("*.eml"))
    assert "Cityworks 23.15 (Reader)" in answers("bindery history")[0]
    for port in (reader.port, reader.port + 1, reader.port + 2):  # built, pushed, previewed
        with urllib.request.urlopen(f"http://localhost:{port}/releases/cityworks/23.15/") as page:
            assert "Cityworks 23.15" in page.read().decode()


def test_the_map_names_only_what_exists() -> None:
    house_map = re.search(
        r"^## The map of the house$.*?^```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL
    )
    assert house_map
    named = re.findall(r"^(\S+/)\s", house_map[1], re.MULTILINE)
    assert len(named) > 8
    missing = [name for name in named if not (HOUSE / name).is_dir() and name not in ("dist/", "var/")]
    assert missing == []


def test_files_that_the_readme_links_to_exist() -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)[^)]*\)", README)
    assert [target for target in targets if not (HOUSE / target).exists()] == []


def test_the_settings_are_those_that_the_desk_reads() -> None:
    section = README.split("## Settings", 1)[1].split("\n## ", 1)[0]
    code = [*(HOUSE / "functions").rglob("*.py")]
    read = {name for file in code for name in re.findall(r'"(SUPPORT_[A-Z]+)"', file.read_text("utf-8"))}
    rows = dict(re.findall(r"^\| `SUPPORT_([A-Z]+)` \|.*\| (.*) \|$", section, re.MULTILINE))
    assert {f"SUPPORT_{name}" for name in rows} == read
    settings = wiring.Settings.read({})
    for name in ("url", "var", "store", "files", "mail"):
        assert rows[name.upper()] == f"`{getattr(settings, name)}`"
