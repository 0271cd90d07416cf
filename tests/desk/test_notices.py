"""Notices: what is new is told once to whoever asked for it, and what was there before is not."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib import catalog as catalogs
from chalicelib.notices import DAYS_BEFORE_END, due, every

CATALOG = Path(__file__).with_name("catalog.json")
FIRST = "The first time: 8 that are there already are taken for told; nothing is sent."


def release(world: Any, version: str, **changes: object) -> None:
    """Publish one more release."""
    said = json.loads(CATALOG.read_text())
    releases = said["products"]["cityworks"]["releases"]
    url = f"/releases/cityworks/{version}/"
    fresh = {**releases["24.1"], "released": "2026-11-23", "url": url, **changes}
    earlier = Path(world.environ["SUPPORT_CATALOG"])
    if earlier != CATALOG:
        releases |= json.loads(earlier.read_text())["products"]["cityworks"]["releases"]
    releases[version] = fresh
    made = world.folder / f"catalog-{version}.json"
    made.write_text(json.dumps(said))
    world.environ["SUPPORT_CATALOG"] = str(made)


def people(run: Any, world: Any, *rows: str) -> None:
    table = world.folder / "people.csv"
    table.write_text("email,topics\n" + "".join(f"{row}\n" for row in rows))
    assert run("subscribers", "import", str(table)).exit_code == 0


def sent(world: Any) -> dict[str, list[str]]:
    """Subjects by recipient."""
    found: dict[str, list[str]] = {}
    for data in world.mails:
        head = data.decode().replace("\r\n ", " ").split("\r\n\r\n")[0].splitlines()
        fields = dict(line.split(": ", 1) for line in head)
        found.setdefault(fields["To"], []).append(fields["Subject"])
    return {to: sorted(subjects) for to, subjects in sorted(found.items())}


def test_the_first_time_tells_nothing_and_then_each_release_is_told_once(run: Any, world: Any) -> None:
    people(
        run,
        world,
        "all@example.org,releases",
        "one@example.org,releases/cityworks",
        "no@example.org,newsletter",
    )
    result = run("notices", "due")
    assert "release/cityworks/24.1" in result.stdout
    assert "The first desk notices send takes all of it for told, and sends none." in result.stderr
    assert run("notices", "send", "--dry-run").output == f"{FIRST} (dry run: nothing was changed)\n"
    assert run("notices", "send", "--yes").output == f"{FIRST}\n"
    assert run("notices", "send", "--yes").output == "There is nothing to tell.\n"
    release(world, "24.2")
    result = run("notices", "send", given="y\n")
    assert result.exit_code == 0, result.output
    assert "Cityworks 24.2 is out: 2 recipients\nSend? [y/N]: y\n" in result.output
    assert sent(world) == {
        "all@example.org": ["Cityworks 24.2 is out"],
        "one@example.org": ["Cityworks 24.2 is out"],
    }
    (text, *_) = world.mails
    assert b"https://support.example.com/releases/cityworks/24.2/" in text
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in text
    assert run("notices", "send", "--yes").output == "There is nothing to tell.\n"


def test_a_security_release_goes_to_who_asked_for_security_once_each(run: Any, world: Any) -> None:
    people(
        run,
        world,
        "both@example.org,releases; security; releases/cityworks",
        "safe@example.org,security",
        "other@example.org,releases/storeroom",
    )
    run("notices", "send", "--yes")
    release(world, "24.2", security=["CVE-2026-0001"])
    release(world, "24.3")
    run("notices", "send", "--yes")
    subject = "Security: Cityworks 24.2 mends CVE-2026-0001"
    assert sent(world) == {
        "both@example.org": ["Cityworks 24.3 is out", subject],
        "safe@example.org": [subject],
    }


def test_an_end_of_support_is_told_at_each_stage_and_the_nearest_alone(run: Any, world: Any) -> None:
    people(run, world, "ann@example.org,life-cycle")
    run("notices", "send", "--yes")
    for day in (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)):
        world.now = day
        run("notices", "send", "--yes")
        run("notices", "send", "--yes")
    assert sent(world) == {"ann@example.org": ["Support of Cityworks 23 ends on February 28, 2027"]}


def test_a_notice_for_nobody_is_not_told_to_who_comes_later(run: Any, world: Any) -> None:
    run("notices", "send", "--yes")
    release(world, "24.2")
    assert "Cityworks 24.2 is out: nobody gets it.\n" in run("notices", "send", "--yes").output
    people(run, world, "late@example.org,releases")
    assert run("notices", "send", "--yes").output == "There is nothing to tell.\n"
    assert sent(world) == {}


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_what_is_covered_is_never_due_again_and_ids_tell_notices_apart(today: date) -> None:
    catalog = catalogs.read(CATALOG.read_text())
    told = list(every(catalog, today))
    assert len({one.id for one in told}) == len(told)
    covered = frozenset(mark for one in told for mark in one.covers)
    assert due(catalog, covered, today) == ()
    for one in told:
        assert one.id in one.covers
        assert one.subject
        if one.template == "notice_end":
            assert len(one.covers) <= len(DAYS_BEFORE_END)
