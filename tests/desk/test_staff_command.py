"""The command `desk`, as staff use it."""

from __future__ import annotations

import json
import re
import time
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest

from chalicelib.refusals import NotAvailable
from chalicelib.signing import fingerprint
from desk.cli import main
from desk.demo import prepare
from desk.worker import Worker

GOOD = "agreement,customer,stage,product,licence,seats,starts,contacts\n"
GOOD += "US-7,=City,accepted,cityworks,seat,5,2026-11-01,\n"


def test_every_command_has_help(run: Any) -> None:
    def walk(command: click.Command, path: tuple[str, ...]) -> None:
        result = run(*path, "--help")
        assert result.exit_code == 0
        assert command.help
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                walk(inner, (*path, name))

    walk(main, ())


def test_status_is_a_table_and_says_what_is_amiss(run: Any, world: Any) -> None:
    result = run("status")
    assert result.exit_code == 0
    assert re.search(r"^store +ok$", result.output, re.M)
    assert json.loads(run("status", "--json").output)["open_now"] is True
    world.environ["SUPPORT_CATALOG"] = "/nowhere/catalog.json"
    result = run("status")
    assert result.exit_code == 1
    assert "There is no usable catalog at /nowhere/catalog.json: build the site." in result.output


def test_an_import_is_all_or_nothing_and_twice_is_once(run: Any, world: Any, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text(GOOD + "US-8,City,accepted,cityworks,site,,soon,\n", encoding="utf-8")
    result = run("agreements", "import", str(table))
    assert (result.exit_code, result.output) == (
        1,
        f"Error: {table}:3: 'starts' must be a day such as 2026-03-01, not 'soon'\n",
    )
    assert world.desk.store.agreements() == ()
    table.write_text(GOOD, encoding="utf-8")
    result = run("agreements", "import", "--dry-run", str(table))
    assert result.output == "1 added, 0 changed, 0 unchanged (dry run: nothing was changed).\n  add US-7\n"
    assert world.desk.store.agreements() == ()
    assert run("agreements", "import", str(table)).output == "1 added, 0 changed, 0 unchanged.\n"
    assert run("agreements", "import", str(table)).output == "0 added, 0 changed, 1 unchanged.\n"


def test_an_export_is_inert_imports_again_and_never_overwrites(run: Any, tmp_path: Path) -> None:
    table, out = tmp_path / "a.csv", tmp_path / "out.csv"
    table.write_text(GOOD, encoding="utf-8")
    run("agreements", "import", str(table))
    assert run("agreements", "export", str(out)).output == f"1 agreements written to {out}.\n"
    assert "\nUS-7,'=City,accepted," in out.read_text(encoding="utf-8")
    again = run("agreements", "export", str(out))
    assert (again.exit_code, again.output) == (1, f"Error: {out} is there already; --force writes over it.\n")
    assert run("agreements", "export", "--force", str(out)).exit_code == 0
    assert run("agreements", "import", str(out)).output == "0 added, 0 changed, 1 unchanged.\n"
    assert json.loads(run("agreements", "export", "--json").output)[0]["customer"] == "=City"


def test_a_key_is_shown_once(run: Any, world: Any) -> None:
    world.desk.store.import_agreements([world.agreement()], dry_run=False)
    key = run("agreements", "key", "US-1").stdout.strip()
    assert world.desk.look_up("US-1", key).agreement == "US-1"
    assert key not in repr(world.desk.store.key_hash("US-1"))
    again = run("agreements", "key", "US-1")
    assert again.exit_code == 1
    assert again.output == "Error: US-1 has a key, which cannot be shown again; --rotate draws a new one.\n"
    rotated = run("agreements", "key", "US-1", "--rotate").stdout.strip()
    assert world.desk.store.key_hash("US-1") == fingerprint(rotated) != fingerprint(key)


def test_renewing_and_withdrawing(run: Any, world: Any) -> None:
    world.keep(world.agreement())
    result = run("agreements", "renew", "US-1")
    assert result.output == "US-1 is paid from 2027-03-01 to 2028-02-29, both days included.\n"
    clash = run("agreements", "renew", "US-1", "--from", "2028-02-29", "--until", "2028-12-31")
    assert (clash.exit_code, clash.output) == (
        1,
        "Error: Nothing was changed: the period 2028-02-29..2028-12-31 overlaps 2027-03-01..2028-02-29, "
        "which is already paid.\n",
    )
    assert run("agreements", "withdraw", "US-1").output == "US-1 is withdrawn from 2026-11-23 on.\n"
    assert json.loads(run("agreements", "show", "US-1", "--json").output)["state"] == "withdrawn"
    assert run("agreements", "withdraw", "US-1", "--undo").output == "US-1 is no longer withdrawn.\n"
    assert "complimentary" in run("agreements", "list").output
    missing = run("agreements", "show", "US-9")
    assert (missing.exit_code, missing.output) == (1, "Error: There is no agreement US-9.\n")


def test_a_ticket_from_list_to_close(run: Any, world: Any) -> None:
    receipt = world.desk.tickets.open(world.draft())
    assert receipt.number in run("tickets", "list").output
    assert run("tickets", "assign", receipt.number, "bo@example.com").exit_code == 0
    assert run("tickets", "assign", receipt.number, "bo").exit_code == 2
    answered = run("tickets", "reply", receipt.number.lower(), "--author", "Bo", given="It is top left.\n")
    assert answered.output == f"{receipt.number} is answered.\n"
    shown = run("tickets", "show", receipt.number)
    assert "Bo (staff)" in shown.output
    assert "It is top left." in shown.output
    assert receipt.token not in shown.output + run("tickets", "show", receipt.number, "--json").output
    assert run("tickets", "close", receipt.number).output == f"{receipt.number} is closed.\n"
    assert run("tickets", "list").output == "There are no such tickets.\n"
    assert receipt.number in run("tickets", "list", "--state", "closed").output
    assert run("tickets", "show", "XXXX-1111").output == "Error: There is no ticket XXXX-1111.\n"


def test_an_empty_answer_is_refused(run: Any, world: Any) -> None:
    receipt = world.desk.tickets.open(world.draft())
    result = run("tickets", "reply", receipt.number, given="")
    assert (result.exit_code, result.output) == (1, "Error: Write a message.\n")


def test_the_outbox_by_hand(run: Any, world: Any) -> None:
    world.desk.tickets.open(world.draft())
    assert len(json.loads(run("outbox", "list", "--json").output)) == 2
    assert run("outbox", "run").output == "2 sent, 0 not taken.\n"
    assert run("outbox", "list").output == "No mail waits.\n"
    assert len(json.loads(run("outbox", "list", "--all", "--json").output)) == 2
    assert (
        run("outbox", "retry", "none").output == "Error: There is no mail none that could be tried again.\n"
    )
    assert len(world.mails) == 2


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("SUPPORT_URL", "support", "an address such as https://support.example.com, not 'support'"),
        ("SUPPORT_STORE", "x", "such as 'sqlite:var/…', not 'x'"),
    ],
)
def test_a_wrong_setting_is_a_message(run: Any, world: Any, name: str, value: str, wanted: str) -> None:
    world.environ[name] = value
    result = run("tickets", "list")
    assert (result.exit_code, result.output) == (1, f"Error: {name} must be {wanted}\n")


def test_the_demonstration_is_made_once_and_shown_again(run: Any, world: Any, tmp_path: Path) -> None:
    first = run("demo")
    assert (first.exit_code, run("demo").output) == (0, first.output)
    assert (tmp_path / "var" / "demo-agreements.txt").stat().st_mode & 0o777 == 0o600
    states = {}
    for one in prepare(world.desk):
        assert one.key in first.output
        states[one.agreement.agreement] = world.desk.look_up(one.agreement.agreement, one.key).state
    assert states == {
        "DEMO-CURRENT": "current",
        "DEMO-LAPSED": "lapsed",
        "DEMO-NEW": "complimentary",
        "DEMO-SEATS": "complimentary",
    }
    current = next(one for one in prepare(world.desk) if one.agreement.agreement == "DEMO-CURRENT")
    world.desk.download("DEMO-CURRENT", current.key, "cityworks", "24.1", "")


def test_the_worker_hands_over_what_waits(world: Any) -> None:
    worker = Worker(world.desk, pause=0.01)
    worker.start()
    world.desk.tickets.open(world.draft())
    ends = time.monotonic() + 10
    while len(world.mails) < 2 and time.monotonic() < ends:
        time.sleep(0.01)
    worker.stop()
    assert len(world.mails) == 2


def test_a_missing_secret_is_made_once_for_its_owner_only(world: Any, tmp_path: Path) -> None:
    assert world.desk.signer.token("a", "b") == world.started().signer.token("a", "b")
    secret = tmp_path / "var" / "secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert len(secret.read_text(encoding="utf-8")) == 64


def test_one_agreement_from_before_the_policy_does_not_hide_the_others(run: Any, world: Any) -> None:
    old = world.agreement(agreement="US-0", starts=date(1971, 3, 1))
    world.keep(old, world.agreement())
    listed = run("agreements", "list")
    assert listed.exit_code == 0
    assert re.search(r"US-0 .* unknown without a rule", listed.output)
    assert re.search(r"US-1 .* complimentary", listed.output)
    told = "No rule of the support policy is in force for cityworks on 1971-03-01."
    assert told in run("agreements", "show", "US-0").output
    assert f"Nothing was changed: {told}" in run("agreements", "renew", "US-0").output
    with pytest.raises(NotAvailable) as refused:
        world.desk.lookups.look_up("US-0", world.key)
    assert refused.value.detail == told
    assert world.desk.tickets.open(world.draft(agreement="US-0"), key=None).number


def test_a_period_beyond_the_calendar_is_refused(run: Any, world: Any) -> None:
    world.keep(world.agreement())
    result = run("agreements", "renew", "US-1", "--until", "9999-12-31")
    assert (result.exit_code, "is not between 1970-01-01 and 2199-12-31" in result.output) == (1, True)


def test_what_the_desk_writes_is_for_its_own_user_only(run: Any, world: Any, tmp_path: Path) -> None:
    world.environ["SUPPORT_VAR"] = str(tmp_path / "state")
    table = tmp_path / "a.csv"
    table.write_text(GOOD, encoding="utf-8")
    assert run("agreements", "import", str(table)).exit_code == 0
    assert run("demo").exit_code == 0
    made = [tmp_path / "state", *(tmp_path / "state").rglob("*")]
    assert len(made) > 3
    assert [str(path) for path in made if path.stat().st_mode & 0o077] == []


def test_what_staff_did_is_listed_and_exported(run: Any, world: Any, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text(GOOD)
    world.environ["DESK_USER"] = "=Robin"
    assert "Nothing was done yet." in run("audit", "list").output
    assert run("agreements", "import", str(table)).exit_code == 0
    receipt = world.desk.tickets.open(world.draft())
    assert run("tickets", "assign", receipt.number, "bo@example.com").exit_code == 0
    assert run("tickets", "reply", receipt.number, "-m", "a word to Ann").exit_code == 0
    assert run("tickets", "close", receipt.number).exit_code == 0
    listed = json.loads(run("audit", "list", "--json").output)
    assert [(act["who"], act["what"], act["about"]) for act in listed["acts"]] == [
        ("=Robin", "close ticket", receipt.number),
        ("=Robin", "answer ticket", receipt.number),
        ("=Robin", "assign ticket", receipt.number),
        ("=Robin", "import agreements", "US-7"),
        ("=Robin", "import agreements", "agreements"),
    ]
    assert listed["before"] is None
    assert "bo@example.com" in run("audit", "list", "--about", receipt.number).output
    assert "a word to Ann" not in run("audit", "list").output
    result = run("audit", "list", "--limit", "1")
    mark = re.search(r"desk audit list --before (\S+)", result.output)
    assert mark
    assert "answer ticket" in run("audit", "list", "--limit", "1", "--before", mark[1]).output
    exported = run("audit", "export").output.splitlines()
    assert exported[0] == "when,who,what,about,detail"
    assert len(exported) == 6
    assert all(",'=Robin," in line for line in exported[1:])
