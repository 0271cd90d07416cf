"""A send that is killed with SIGKILL, again and again, against a real SMTP server: promise 15."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

DESK = Path(__file__).resolve().parents[1] / "desk"
STATES = ("pending", "sending", "sent", "failed", "unknown", "left", "suppressed")
PEOPLE = 120


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DESK / f"{name}.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


smtp_server = module("smtp_server")
lay_out = module("test_newsletter").lay_out


class House:
    """A desk of its own, run as staff run it: a process for each command."""

    def __init__(self, folder: Path, server: Any) -> None:
        self.server = server
        self.mails = folder / "mails"
        lay_out(self.mails)
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "SUPPORT_VAR": str(folder / "var"),
            "SUPPORT_CATALOG": str(DESK / "catalog.json"),
            "SUPPORT_MAIL": server.setting,
            "SUPPORT_URL": "https://support.example.com",
            "DESK_USER": "robin",
        }
        table = folder / "people.csv"
        table.write_text("email\n" + "".join(f"s{number}@example.org\n" for number in range(PEOPLE)))
        self.run("subscribers", "import", str(table))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        named = [*arguments, "--mails", str(self.mails)] if arguments[0] == "newsletter" else arguments
        return subprocess.Popen(
            [sys.executable, "-m", "desk", *named],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> str:
        process = self.start(*arguments)
        out, trouble = process.communicate(timeout=120)
        assert process.returncode == 0, trouble
        return out

    def status(self) -> Any:
        said = json.loads(self.run("newsletter", "status", "autumn", "--json"))
        assert sum(said[state] for state in STATES) == said["total"] == PEOPLE
        return said

    def wait_for(self, number: int) -> None:
        """Until so many mails came in."""
        ends = time.monotonic() + 60
        while len(self.server.mails) < number:
            assert time.monotonic() < ends
            time.sleep(0.002)


@pytest.mark.slow
def test_promise_15_a_killed_send_goes_on_and_sends_nobody_twice(tmp_path: Path) -> None:
    with smtp_server.running(smtp_server.Server()) as server:
        server.slow = 0.01
        house = House(tmp_path, server)
        unknown = 0
        for kill in (7, 30, 31, 70):
            process = house.start("newsletter", "send", "autumn", "--yes")
            house.wait_for(kill)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            said = house.status()
            assert said["sending"] == 0
            assert unknown <= said["unknown"] <= unknown + 1
            unknown = said["unknown"]
            assert said["pending"] > 0
        house.run("newsletter", "send", "autumn", "--yes")
        said = house.status()
        assert said["done"]
        assert said["sent"] + said["unknown"] == PEOPLE
        got = Counter(recipient for recipient, _ in server.mails)
        assert set(got.values()) == {1}
        missing = {f"s{number}@example.org" for number in range(PEOPLE)} - set(got)
        named = {one["email"] for one in said["trouble"]}
        assert len(named) == said["unknown"]
        assert missing <= named
        if named:
            house.run("newsletter", "resend-unknown", "autumn", "--yes")
        assert house.status()["sent"] == PEOPLE
        after = Counter(recipient for recipient, _ in server.mails)
        assert set(after) == {f"s{number}@example.org" for number in range(PEOPLE)}
        assert {recipient for recipient, number in after.items() if number > 1} <= named
        ids = {
            (recipient, line)
            for recipient, data in server.mails
            for line in data.split(b"\r\n")
            if line.lower().startswith(b"message-id:")
        }
        assert len(ids) == PEOPLE


@pytest.mark.slow
def test_two_sends_at_once_are_one_and_a_wish_to_stop_ends_after_the_mail_in_hand(tmp_path: Path) -> None:
    with smtp_server.running(smtp_server.Server()) as server:
        server.slow = 0.02
        house = House(tmp_path, server)
        first = house.start("newsletter", "send", "autumn", "--yes")
        house.wait_for(3)
        second = house.start("newsletter", "send", "autumn", "--yes")
        _, trouble = second.communicate(timeout=60)
        assert second.returncode == 1
        assert trouble == "Error: Another send is at work on this machine. Wait for it, or end it.\n"
        first.send_signal(signal.SIGTERM)
        _, trouble = first.communicate(timeout=60)
        assert first.returncode == 1
        assert "It is not through: it was stopped. Nothing is lost." in trouble
        said = house.status()
        assert (said["unknown"], said["sending"]) == (0, 0)
        assert said["sent"] == len(server.mails)
        server.slow = 0
        house.run("newsletter", "send", "autumn", "--yes")
        assert sorted(Counter(recipient for recipient, _ in server.mails).values()) == [1] * PEOPLE
