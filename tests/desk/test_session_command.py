"""`desk sessions` and `desk forget`."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from chalicelib.ports import CalendarLink, WebSession
from desk.cli import main
from desk.terminal import Wired

ANN, BO = "ann@example.org", "bo@example.org"


@pytest.fixture
def run(world: Any) -> Any:
    def invoke(*arguments: str) -> Result:
        environ = {**world.environ, "DESK_USER": "Robin"}
        return CliRunner().invoke(main, arguments, obj=Wired(environ, lambda seen: world.started(**seen)))

    return invoke


@pytest.fixture
def signed_in(world: Any) -> None:
    for number, address in enumerate((ANN, ANN, BO)):
        world.desk.sign_ins.ask(address)
        began = world.now + timedelta(minutes=number)
        session = WebSession(
            id=f"s{number}",
            secret_hash=f"hash {number}",
            address=address,
            browser="Firefox on Windows",
            began=began,
            seen=began,
        )
        assert world.desk.store.redeem_sign_in(
            world.desk.store.sign_in(address), session, instead_of="", now=began
        )


@pytest.mark.usefixtures("signed_in")
def test_sessions_are_listed_the_newest_first(run: Any) -> None:
    lines = run("sessions", "list").output.splitlines()
    assert [line.split("  ", 1)[0] for line in lines] == ["id", "s2", "s1", "s0"]
    assert [part.strip() for part in re.split("  +", lines[1])] == [
        "s2",
        BO,
        "Firefox on Windows",
        "Monday, November 23, 2026, 10:02 a.m. MST",
        "Monday, November 23, 2026, 10:02 a.m. MST",
    ]
    told = json.loads(run("sessions", "list", "--address", "ANN@example.org", "--json").output)
    assert [one["id"] for one in told] == ["s1", "s0"]
    assert told[0] == {
        "id": "s1",
        "address": ANN,
        "browser": "Firefox on Windows",
        "began": "2026-11-23T17:01:00+00:00",
        "seen": "2026-11-23T17:01:00+00:00",
    }


@pytest.mark.usefixtures("signed_in")
def test_a_session_whose_time_is_over_is_not_listed(run: Any, world: Any) -> None:
    world.pass_(hours=2)
    assert json.loads(run("sessions", "list", "--json").output)[0]["id"] == "s2"
    world.pass_(hours=1)
    assert run("sessions", "list").output == "Nobody has signed in.\n"


@pytest.mark.usefixtures("signed_in")
def test_one_session_or_all_of_an_address_end_and_the_act_is_kept(run: Any, world: Any) -> None:
    assert run("sessions", "end", "Ann@example.org", "s0").output == "1 ended.\n"
    assert run("sessions", "end", ANN).output == "1 ended.\n"
    nobody = run("sessions", "end", ANN)
    assert (nobody.exit_code, nobody.output) == (1, f"Error: There is no such session of {ANN}.\n")
    assert [one.address for one in world.desk.store.sessions()[0]] == [BO]
    acts, _ = world.desk.store.acts(about=ANN)
    assert [(act.who, act.what, act.detail) for act in acts] == [
        ("Robin", "end sessions", "all"),
        ("Robin", "end sessions", "s0"),
    ]


@pytest.mark.usefixtures("signed_in")
def test_an_account_is_forgotten(run: Any, world: Any) -> None:
    world.desk.store.keep_calendar(CalendarLink(address=ANN, salt="1", token_hash="h"))
    told = run("forget", "ANN@example.org")
    assert told.output == "Forgotten: 2 sessions, a sign-in link, a calendar.\n"
    again = run("forget", ANN)
    assert (again.exit_code, again.output) == (1, f"Error: Nothing is kept of a sign-in by {ANN}.\n")
    assert [act.what for act in world.desk.store.acts(about=ANN)[0]] == ["forget account"]


def test_no_command_signs_in_for_a_customer() -> None:
    """Promise 22: staff cannot sign in as somebody else; a link goes to the mailbox alone."""

    def names(command: click.Command) -> set[str]:
        inner = command.commands if isinstance(command, click.Group) else {}
        return set(inner).union(*(names(one) for one in inner.values()))

    assert not {name for name in names(main) if re.search("sign-?in|log-?in|impersonate|link-for", name)}
    assert isinstance(main, click.Group)
    group = main.commands["sessions"]
    assert isinstance(group, click.Group)
    assert set(group.commands) == {"list", "end"}
