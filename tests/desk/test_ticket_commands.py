"""`desk tickets` and `desk report`: the whole life by hand, whole outputs, exit codes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from desk.cli import main
from desk.terminal import Wired


@pytest.fixture
def run(world: Any) -> Any:
    environ = {**world.environ, "DESK_USER": "Bo"}

    def command(*arguments: str, given: str = "") -> Result:
        wired = Wired(environ, lambda settings: world.started(**settings))
        return CliRunner().invoke(main, arguments, input=given, obj=wired)

    return command


def opened(world: Any, **changes: str) -> str:
    return str(world.desk.tickets.open(world.draft(**changes)).number)


def test_a_question_a_wait_and_a_closing_taken_back(run: Any, world: Any) -> None:
    number = opened(world, severity="P2")
    assert run("tickets", "reply", number, "--wait", "-m", "Which browser?").output == (
        f"{number} waits for the visitor.\n"
    )
    assert "4 hours of opening time left" in run("tickets", "list").output
    assert run("tickets", "wait", number).output == f"{number} waits for the visitor.\n"
    assert run("tickets", "close", number, "-m", "Solved by telephone.").output == f"{number} is closed.\n"
    assert run("tickets", "wait", number).output == (
        f"Error: {number} is closed. Open it again first: desk tickets reopen {number}\n"
    )
    assert run("tickets", "reopen", number).output == f"{number} is waiting again.\n"
    shown = run("tickets", "show", number).output
    for line in ("opened: route Client Services", "asked: message 1", "closed: was waiting", "reopened: to"):
        assert line in shown
    assert [act.what for act in world.desk.store.acts(about=number)[0]] == [
        "reopen ticket",
        "close ticket",
        "ask about ticket",
    ]


def test_a_change_tells_the_new_time_and_why(run: Any, world: Any) -> None:
    number = opened(world)
    assert run("tickets", "change", number, "--severity", "P1", "--kind", "defect").output == (
        f"{number} is P1, defect, with Programming.\n"
        "Answer due: Monday, November 23, 2026, 11:00 a.m. MST\n"
        "  because: The first response to P1 comes within 1 hour of opening time.\n"
        "  because: Opening time is Monday to Friday, 7:00 a.m. to 6:00 p.m. (Denver time); holidays do "
        "not count.\n"
    )
    assert run("tickets", "change", number).exit_code == 2
    wrong = run("tickets", "change", number, "--route", "nowhere")
    assert (wrong.exit_code, wrong.output) == (
        1,
        "Error: Choose one of client_services, client_services_manager, programming, not 'nowhere'.\n",
    )


def test_the_queue_is_filtered(run: Any, world: Any) -> None:
    one = opened(world, severity="P1", organization="City of Example", agreement="US-1")
    two = opened(world, kind="defect", organization="Town")
    run("tickets", "assign", two, "bo@example.com")
    world.pass_(hours=2)

    def numbers(*options: str) -> list[str]:
        return [one["number"] for one in json.loads(run("tickets", "list", "--json", *options).output)]

    assert numbers() == [two, one]
    assert numbers("--late") == [one]
    assert numbers("--kind", "defect") == [two]
    assert numbers("--severity", "P1") == [one]
    assert numbers("--assignee", "bo@example.com") == [two]
    assert numbers("--assignee", "nobody") == [one]
    assert numbers("--customer", "us-1") == numbers("--customer", "example") == [one]
    run("tickets", "close", one)
    assert numbers() == [two]
    assert numbers("--all") == [two, one]
    assert "LATE: " not in run("tickets", "list").output
    assert run("tickets", "unassign", two).output == (
        f"{two} is assigned to nobody; it is with Programming.\n"
    )


def test_promise_7_an_export_holds_no_live_formula(run: Any, world: Any, tmp_path: Path) -> None:
    opened(world, subject="=cmd|' /C calc'!A0", organization="+1", name="@SUM(1)", phone="-1")
    out = tmp_path / "tickets.csv"
    assert run("tickets", "export", str(out)).output == f"1 tickets written to {out}.\n"
    (row,) = csv.DictReader(io.StringIO(out.read_text(encoding="utf-8")))
    assert [row[name] for name in ("subject", "organization", "name", "phone")] == [
        "'=cmd|' /C calc'!A0",
        "'+1",
        "'@SUM(1)",
        "'-1",
    ]
    assert (row["severity"], row["late"], row["reply_by"]) == ("P3", "no", "2026-11-24T17:00:00+00:00")
    again = run("tickets", "export", str(out))
    assert (again.exit_code, again.output) == (1, f"Error: {out} is there already; --force writes over it.\n")
    assert run("tickets", "export", "--force", str(out)).exit_code == 0
    assert run("tickets", "export").output == out.read_text(encoding="utf-8")


def test_files_are_listed_and_saved_under_names_of_ours(run: Any, world: Any, tmp_path: Path) -> None:
    receipt = world.desk.tickets.open(world.draft())
    assert run("tickets", "files", receipt.number).output == "This ticket has no files.\n"
    form = world.desk.tickets.read(receipt.token).upload
    arrived = world.desk.files.receive(form.fields, "../../.bashrc", "", io.BytesIO(b"hello"), world.now)
    world.desk.attach(arrived)
    saved = tmp_path / "saved"
    told = json.loads(run("tickets", "files", receipt.number, "--save", str(saved), "--json").output)
    target = saved / f"{receipt.number}-1-bashrc"
    assert told["saved"] == [str(target)]
    assert told["files"][0]["sha256"]
    assert target.read_bytes() == b"hello"
    again = run("tickets", "files", receipt.number, "--save", str(saved))
    assert (again.exit_code, again.output) == (
        1,
        f"Error: {target} is there already; nothing more was saved.\n",
    )


def test_a_session_is_planned_moved_and_called_off(run: Any, world: Any) -> None:
    number = opened(world, kind="session")
    assert run("tickets", "session", number).exit_code == 2
    planned = run("tickets", "session", number, "--at", "2026-11-24 14:00", "--length", "90 minutes")
    assert planned.output == (
        f"The session of {number} is on Tuesday, November 24, 2026, 2:00 p.m. MST, for 90 minutes. "
        "Both sides are invited.\n"
    )
    again = run("tickets", "session", number, "--at", "2026-11-25 14:00")
    assert (again.exit_code, "--change moves it, --cancel calls it off" in again.output) == (2, True)
    closed = run("tickets", "session", number, "--change", "--at", "2026-11-26 10:00")
    assert (closed.exit_code, closed.output) == (
        1,
        "Error: We are not open then for as long as that. The nearest hour that we can offer is Monday, "
        "November 30, 2026, 7:00 a.m. MST.\n",
    )
    moved = run("tickets", "session", number, "--change", "--at", "2026-11-25 09:00", "--length", "1h")
    assert moved.output.startswith(
        f"The session of {number} is on Wednesday, November 25, 2026, 9:00 a.m. MST"
    )
    assert run("tickets", "session", number, "--cancel").output == (
        f"The session of {number} is called off; both sides are told.\n"
    )
    assert run("tickets", "session", number, "--cancel").output == (
        f"Error: No session is planned for {number}.\n"
    )
    for wrong in (("--at", "soon"), ("--at", "2026-11-25 09:00", "--length", "2 days")):
        assert run("tickets", "session", number, *wrong).exit_code == 2


def test_a_wish_is_confirmed_without_typing_it_again(run: Any, world: Any) -> None:
    number = opened(world, kind="session", session_date="2026-11-24", session_time="14:00")
    assert "Tuesday, November 24, 2026, 2:00 p.m. MST" in run("tickets", "session", number).output


def test_a_fix_is_drafted_read_sent_or_dropped(run: Any, world: Any) -> None:
    one = opened(world, product="cityworks", version="23.4")
    two = opened(world, product="cityworks", version="23.4", subject="Another")
    unknown = run("tickets", "link", one, "CW-77")
    assert (unknown.exit_code, unknown.output) == (
        1,
        "Error: The catalog has no known issue and no fix CW-77.\n",
    )
    for number in (one, two):
        assert run("tickets", "link", number, "CW-1").output == f"{number} is linked to CW-1.\n"
    made = json.loads(run("tickets", "fixed", "--json").output)
    drafts = {one["ticket"]: one["id"] for one in made}
    assert set(drafts) == {one, two}
    assert run("tickets", "fixed").output == "There is nothing new to draft.\n"
    assert "It is fixed in Cityworks 24" in run("tickets", "drafts").output
    assert run("tickets", "send", drafts[one]).output == f"{one} is answered.\n"
    assert run("tickets", "drop", drafts[two]).output == f"The draft for {two} is dropped.\n"
    for gone in drafts.values():
        result = run("tickets", "send", gone)
        assert (result.exit_code, result.output) == (1, f"Error: There is no draft {gone}.\n")
    assert run("tickets", "drafts").output == "No draft waits.\n"
    assert run("tickets", "unlink", one, "CW-1").output == f"{one} is no longer linked to CW-1.\n"


def test_a_draft_of_a_closed_ticket_is_not_sent(run: Any, world: Any) -> None:
    number = opened(world, product="cityworks", version="23.4")
    run("tickets", "link", number, "CW-1")
    (made,) = json.loads(run("tickets", "fixed", "--json").output)
    run("tickets", "close", number)
    result = run("tickets", "send", made["id"])
    assert (result.exit_code, result.output) == (
        1,
        f"Error: {number} is closed. Drop the draft: desk tickets drop {made['id']}\n",
    )


def test_the_report_is_a_table_with_its_reasons_and_json(run: Any, world: Any) -> None:
    number = opened(world)
    world.pass_(minutes=90)
    run("tickets", "reply", number, "-m", "Words")
    lines = run("report").output.splitlines()
    assert lines[0].split("  ")[0] == "month"
    assert lines[1].split() == ["2026-11", "P3", "1", "1", "0", "0", "0", "1.5", "1.5"]
    assert lines[2].startswith("  because: A ticket counts in the month")
    assert json.loads(run("report", "--json").output)["rows"][0]["median_hours"] == 1.5
    assert "No ticket was received" in run("report", "--from", "2026-12").output
    wrong = run("report", "--from", "December")
    assert (wrong.exit_code, "must be a month such as 2026-11, not 'December'" in wrong.output) == (2, True)


def test_what_a_stranger_wrote_is_harmless_on_a_terminal(run: Any, world: Any) -> None:
    number = opened(world)
    run("tickets", "reply", number, "-m", "a", "--author", "\x1b[2JBo")
    assert "\x1b" not in run("tickets", "show", number).output
