"""Every command that the README shows is run as it stands there, in a copy of this repository.

The copy has the environment of this one (a link to `.venv`), a port of its own and nothing else changed.
What serves is started, waited for and stopped; what would run these tests again is asked what it would do.
"""

from __future__ import annotations

import contextlib
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
        as_here = command.replace("localhost:8000", f"localhost:{self.port}")
        as_here = re.sub(r"\b8001\b", str(self.port + 1), as_here)
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
        port = self.port + 1 if str(self.port + 1) in command else self.port
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
    """A port that is free together with the one after it."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            with contextlib.suppress(OSError):
                two.bind(("127.0.0.1", port + 1))
                return port


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("reader")
    repository = home / "repository"
    shutil.copytree(
        HOUSE,
        repository,
        symlinks=True,  # times are kept, so make finds the linked environment as new as it is
        ignore=lambda _, names: [n for n in names if n in MADE_HERE or n == "__pycache__"],
    )
    (repository / ".venv").symlink_to(HOUSE / ".venv")
    port = _free_ports()
    kept = ("PATH", "LANG", "LC_ALL", "TERM", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ} | {
        "HOME": str(home),
        "PATH": f"{HOUSE / '.venv/bin'}:{os.environ['PATH']}",
        "PORT": str(port),
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
    said = {command: reader.types(command) for command in COMMANDS}
    assert said  # what each must say stands in the tests below


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
