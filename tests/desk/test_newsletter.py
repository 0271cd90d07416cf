"""`desk newsletter` with a real SMTP server: promises 14, 15 and 16."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from desk import sending
from desk.cli import main
from desk.terminal import Wired

_spec = importlib.util.spec_from_file_location("smtp_server", Path(__file__).with_name("smtp_server.py"))
assert _spec
assert _spec.loader
smtp_server = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(smtp_server)

STATES = ("pending", "sending", "sent", "failed", "unknown", "left", "suppressed")


def lay_out(folder: Path, name: str = "autumn", subject: str = "Autumn") -> None:
    """An issue as the bindery lays it out."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "text.txt").write_text(f"{subject}\n\nTo leave:\n[[ leave_url ]]\n", encoding="utf-8")
    (place / "mail.html").write_text("<p><a href='[[ leave_url ]]'>Leave</a></p>\n", encoding="utf-8")
    message = {
        "format": 1,
        "id": f"newsletter/{name}",
        "subject": subject,
        "date": "2026-09-15",
        "from": {"name": "Example Systems", "address": "news@example.com"},
        "headers": {
            "List-Id": "<newsletter.support.example.com>",
            "List-Unsubscribe": "<[[ leave_url ]]>, <mailto:[[ leave_address ]]>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
        "parts": [
            {"file": "text.txt", "type": "text/plain; charset=utf-8"},
            {"file": "mail.html", "type": "text/html; charset=utf-8"},
        ],
        "sample": True,
    }
    (place / "message.json").write_text(json.dumps(message), encoding="utf-8")


@pytest.fixture
def server() -> Iterator[Any]:
    with smtp_server.running(smtp_server.Server()) as running:
        yield running


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    lay_out(tmp_path / "mails")
    return tmp_path / "mails"


@pytest.fixture
def run(world: Any, server: Any, mails: Path) -> Any:
    world.environ["SUPPORT_MAIL"] = server.setting

    def invoke(*arguments: str, given: str | None = None) -> Result:
        wired = Wired(world.environ, lambda environ: world.started(**environ))
        named = [*arguments, "--mails", str(mails)] if arguments[0] == "newsletter" else arguments
        return CliRunner().invoke(main, named, input=given, obj=wired)

    return invoke


@pytest.fixture
def people(run: Any, tmp_path: Path) -> list[str]:
    names = [f"s{number}@example.org" for number in range(8)]
    table = tmp_path / "people.csv"
    table.write_text("email\n" + "\n".join(names) + "\n", encoding="utf-8")
    run("subscribers", "import", str(table))
    return names


def status(run: Any) -> Any:
    said = json.loads(run("newsletter", "status", "autumn", "--json").stdout)
    assert sum(said[state] for state in STATES) == said["total"]
    return said


def leave_paths(server: Any) -> dict[str, str]:
    """The token of each recipient's link to leave."""
    found = {}
    for recipient, data in server.mails:
        mail = message_from_bytes(data, policy=policy.default)
        found[recipient] = re.findall(r"/leave/([\w-]+)>", str(mail["List-Unsubscribe"]))[0]
    return found


def test_promise_15_everybody_gets_it_once_over_one_connection_and_a_second_send_sends_nothing(
    run: Any, server: Any, people: list[str], world: Any
) -> None:
    result = run("newsletter", "send", "autumn", given="y\n")
    assert result.exit_code == 0, result.output
    assert "Send “Autumn” to 8 who get newsletter? It is marked as a sample. [y/N]: y\n" in result.output
    assert "8 sent; 8 in all.\n" in result.output
    assert sorted(recipient for recipient, _ in server.mails) == people
    assert server.connections == 1
    assert len(set(leave_paths(server).values())) == 8
    again = run("newsletter", "send", "autumn")
    assert (again.exit_code, again.output) == (0, "8 sent; 8 in all.\n")
    assert len(server.mails) == 8
    assert status(run)["done"] is True
    assert [act.what for act in world.desk.store.acts()[0]] == ["begin mailing", "import subscribers"]


def test_nothing_is_begun_without_a_yes_and_for_nobody(run: Any, server: Any, people: list[str]) -> None:
    result = run("newsletter", "send", "autumn", given="n\n")
    assert result.exit_code == 1
    assert run("newsletter", "status", "autumn").output == "Error: autumn was not begun to be sent.\n"
    result = run("newsletter", "send", "autumn", "--topic", "security")
    assert result.output == "Error: Nobody gets security: nothing was begun.\n"
    result = run("newsletter", "send", "autumn", "--topic", "gossip")
    assert "There is no topic 'gossip'; topics are newsletter, " in result.output
    assert server.mails == []


def test_promise_14_who_leaves_in_the_middle_of_a_send_gets_nothing(
    run: Any, server: Any, people: list[str], world: Any
) -> None:
    """Seen from the mail server: it takes the first mail, and meanwhile another reader leaves."""
    store, left = world.desk.store, []
    original = server.handle_DATA

    async def taken(one: Any, session: Any, envelope: Any) -> str:
        if not left:
            (first,) = envelope.rcpt_tos
            left.append(next(one for one in reversed(people) if one != first))
            world.desk.subscriptions.leave(world.desk.subscriptions.of(left[0]).leave_url.rsplit("/", 1)[1])
        return str(await original(one, session, envelope))

    server.handle_DATA = taken
    result = run("newsletter", "send", "autumn", "--yes")
    assert result.stdout == "7 sent, 1 left; 8 in all.\n"
    assert sorted(recipient for recipient, _ in server.mails) == [one for one in people if one not in left]
    assert store.subscriber(left[0]).state == "left"


def test_promise_14_the_link_in_a_mail_leaves(run: Any, server: Any, people: list[str], world: Any) -> None:
    run("newsletter", "send", "autumn", "--yes")
    for recipient, token in leave_paths(server).items():
        assert world.desk.subscriptions.leave(token).email == recipient
    assert world.desk.store.recipients(["newsletter"]) == 0


def test_promise_16_a_refused_mailbox_is_suppressed_at_once_and_the_reason_is_told(
    run: Any, server: Any, people: list[str], world: Any
) -> None:
    server.rcpt["s2@example.org"] = ["550 5.1.1 unknown user"]
    server.rcpt["s3@example.org"] = ["550 5.7.1 we do not like your words"]
    result = run("newsletter", "send", "autumn", "--yes")
    assert result.stdout == "6 sent, 2 failed; 8 in all.\n"
    assert world.desk.store.suppression("s2@example.org").reason == "hard bounce"
    assert world.desk.store.suppression("s3@example.org") is None
    assert sorted((one["email"], one["why"]) for one in status(run)["trouble"]) == [
        ("s2@example.org", "the recipient was refused (550)"),
        ("s3@example.org", "the recipient was refused (550)"),
    ]
    assert world.desk.store.recipients(["newsletter"]) == 7


def test_promise_16_a_soft_bounce_is_tried_again_and_then_given_up_with_its_reason(
    run: Any, server: Any, people: list[str], world: Any
) -> None:
    server.rcpt["s1@example.org"] = ["451 4.2.1 busy"] * 10
    server.data["s2@example.org"] = ["452 4.3.1 full"]
    result = run("newsletter", "send", "autumn", "--yes")
    assert result.stdout == "2 pending, 6 sent; 8 in all.\n"
    assert (
        "2 were not taken yet: try them again after Monday, November 23, 2026, 10:05 a.m. MST"
        in result.stderr
    )
    assert sorted(one["why"] for one in status(run)["trouble"]) == [
        "the mail server said 452",
        "the recipient was refused (451)",
    ]
    assert run("newsletter", "send", "autumn", "--yes").stdout == "2 pending, 6 sent; 8 in all.\n"
    world.pass_(minutes=5)
    assert run("newsletter", "send", "autumn", "--yes").stdout == "1 pending, 7 sent; 8 in all.\n"
    for minutes in (30, 120):
        world.pass_(minutes=minutes)
        run("newsletter", "send", "autumn", "--yes")
    said = status(run)
    assert (said["sent"], said["failed"], said["done"]) == (7, 1, True)
    assert said["trouble"] == [
        {
            "email": "s1@example.org",
            "state": "failed",
            "why": "given up after 4 tries: the recipient was refused (451)",
            "tries": 4,
        }
    ]
    assert world.desk.store.suppression("s1@example.org") is None


def test_promise_15_a_mail_whose_answer_was_lost_is_unknown_and_sent_again_by_command_alone(
    run: Any, server: Any, people: list[str]
) -> None:
    server.data["s5@example.org"] = [smtp_server.BREAK]
    result = run("newsletter", "send", "autumn", "--yes")
    assert result.stdout == "7 sent, 1 unknown; 8 in all.\n"
    assert run("newsletter", "send", "autumn", "--yes").stdout == "7 sent, 1 unknown; 8 in all.\n"
    assert [one for one, _ in server.mails].count("s5@example.org") == 1
    (trouble,) = status(run)["trouble"]
    assert (trouble["email"], trouble["state"]) == ("s5@example.org", "unknown")
    assert "the connection broke before the mail server answered" in trouble["why"]
    assert run("newsletter", "resend-unknown", "autumn", given="n\n").exit_code == 1
    result = run("newsletter", "resend-unknown", "autumn", given="y\n")
    assert "1 may get it a second time. Send? [y/N]: y\n8 sent; 8 in all.\n" in result.output
    twice = [data for one, data in server.mails if one == "s5@example.org"]
    assert len(twice) == 2
    assert twice[0] == twice[1]
    assert "Of nobody" in run("newsletter", "resend-unknown", "autumn").output


def test_a_mail_server_that_is_down_loses_nothing(
    run: Any, server: Any, people: list[str], world: Any
) -> None:
    world.environ["SUPPORT_MAIL"] = "smtp://127.0.0.1:1"
    result = run("newsletter", "send", "autumn", "--yes")
    assert (result.exit_code, result.stdout) == (1, "8 pending; 8 in all.\n")
    assert "It is not through: the mail server cannot be reached" in result.stderr
    assert "Go on with: desk newsletter send autumn" in result.stderr
    world.environ["SUPPORT_MAIL"] = server.setting
    assert run("newsletter", "send", "autumn", "--yes").stdout == "8 sent; 8 in all.\n"


def test_a_text_that_changed_in_the_middle_is_sent_on_by_command_alone(
    run: Any, server: Any, people: list[str], world: Any, mails: Path
) -> None:
    server.rcpt["s1@example.org"] = ["451 busy"]
    run("newsletter", "send", "autumn", "--yes")
    lay_out(mails, subject="Autumn, mended")
    world.pass_(minutes=5)
    result = run("newsletter", "send", "autumn", "--yes")
    assert "The text was changed since this issue was begun" in result.output
    assert run("newsletter", "send", "autumn", "--yes", "--new-text").stdout == "8 sent; 8 in all.\n"
    assert b"Subject: Autumn, mended" in server.mails[-1][1]


def test_an_issue_is_listed_previewed_and_tried_by_one(
    run: Any, server: Any, people: list[str], tmp_path: Path
) -> None:
    (listed,) = json.loads(run("newsletter", "list", "--json").stdout)
    assert (listed["issue"], listed["subject"], listed["begun"]) == ("autumn", "Autumn", None)
    target = tmp_path / "look.eml"
    assert run("newsletter", "preview", "autumn", str(target)).output == f"{target}: Autumn\n"
    assert "is there already" in run("newsletter", "preview", "autumn", str(target)).output
    assert b"/support/subscribe/" in target.read_bytes()
    assert run("newsletter", "test", "autumn", "me@example.com").output == "Sent to me@example.com.\n"
    ((recipient, data),) = server.mails
    assert (recipient, b"Subject: [Test] Autumn" in data) == ("me@example.com", True)
    assert run("newsletter", "test", "autumn", "nobody").exit_code == 1
    assert json.loads(run("newsletter", "list", "--json").stdout)[0]["begun"] is None


@pytest.mark.parametrize("name", ["winter", "../mails/autumn", ""])
def test_an_issue_that_is_not_there_is_told(run: Any, name: str) -> None:
    result = run("newsletter", "send", name, "--yes")
    assert (result.exit_code, "desk newsletter list names them" in result.output) == (1, True)


def test_a_damaged_issue_is_told_with_its_file(run: Any, people: list[str], mails: Path) -> None:
    place = mails / "autumn" / "message.json"
    place.write_text(place.read_text().replace('"Autumn"', '"=?utf-8?q?a=0D=0ABcc=3A_x=40y?="'))
    result = run("newsletter", "send", "autumn", "--yes")
    assert f"Error: {place}: the header Subject must be plain text of one line" in result.output
    place.write_text("{}")
    assert f"Error: {place} cannot be used (KeyError: 'format')" in run("newsletter", "list").output


def test_another_secret_sends_no_links_that_lead_nowhere(
    run: Any, server: Any, people: list[str], world: Any
) -> None:
    world.environ["SUPPORT_SECRET"] = "another secret of the same desk"
    result = run("newsletter", "send", "autumn", "--yes")
    assert "SUPPORT_SECRET is not the one that the subscribers were kept with" in result.output
    assert server.mails == []
    del world.environ["SUPPORT_SECRET"]
    assert run("newsletter", "send", "autumn", "--yes").stdout == "8 sent; 8 in all.\n"


def test_a_send_that_waits_rests_until_the_next_try_is_due(
    run: Any, server: Any, people: list[str], world: Any
) -> None:
    server.rcpt["s1@example.org"] = ["451 busy"]
    run("newsletter", "send", "autumn", "--yes")
    slept: list[float] = []
    assert sending.rested(world.desk, "newsletter/autumn", slept.append)
    assert slept == [300.0]
    world.pass_(seconds=slept[0])
    assert run("newsletter", "send", "autumn", "--yes", "--wait").stdout == "8 sent; 8 in all.\n"
    assert not sending.rested(world.desk, "newsletter/autumn", slept.append)


def test_a_server_that_has_enough_of_a_connection_gets_another(
    run: Any, server: Any, people: list[str]
) -> None:
    for name in people[2:5]:
        server.rcpt[name] = ["421 too many mails in this connection"]
    result = run("newsletter", "send", "autumn", "--yes")
    assert result.stdout.endswith("8 in all.\n")
    if result.exit_code:  # the very first recipient was one of them: then the server takes nothing at all
        assert "It is not through: the mail server said 421." in result.stderr
        result = run("newsletter", "send", "autumn", "--yes")
    assert result.stdout == "8 sent; 8 in all.\n"
    assert 3 <= server.connections <= 5
    assert sorted(recipient for recipient, _ in server.mails) == people
