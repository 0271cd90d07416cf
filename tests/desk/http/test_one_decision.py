"""The page, the API, my page and the command of staff say the same of any agreement, release and day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import lxml.html
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.agreements import Agreement, Period
from chalicelib.ports import WebSession
from chalicelib.reasons import for_readers
from chalicelib.signing import fingerprint
from desk.cli import main
from desk.terminal import Wired

KEY = "22222-33333-44444-55555-66666-77777"
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@st.composite
def paid(draw: st.DrawFn) -> tuple[Period, ...]:
    """At most three periods without overlaps, some with gaps between them."""
    periods, first = [], draw(DAYS)
    for _ in range(draw(st.integers(0, 3))):
        last = first + timedelta(days=draw(st.integers(0, 500)))
        periods.append(Period(first=first, last=last))
        first = last + timedelta(days=draw(st.integers(1, 200)))
    return tuple(periods)


AGREEMENTS = st.builds(
    lambda starts, periods, seat, withdrawn: Agreement(
        agreement="AZ-7",
        customer="City",
        stage="accepted",
        client_manager="",
        product="widget",
        licence="seat" if seat else "site",
        seats=5 if seat else None,
        starts=starts,
        paid=periods,
        withdrawn=withdrawn,
    ),
    DAYS,
    paid(),
    st.booleans(),
    st.none() | DAYS,
)


def command(house: Any, *arguments: str) -> Any:
    result = CliRunner().invoke(
        main, ("agreements", "show", "AZ-7", *arguments, "--json"), obj=Wired({}, lambda _: house.desk)
    )
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def keep(house: Any, agreement: Agreement) -> None:
    house.desk.store.import_agreements([agreement], dry_run=False)
    house.desk.store.set_key(agreement.agreement, fingerprint(KEY), house.clock.now)


def at(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo("America/Denver")).astimezone(UTC)


def reasons(page: str) -> list[str]:
    return [item.text for item in lxml.html.fromstring(page).xpath("//h2[.='Why']/following-sibling::ul/li")]


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(agreement=AGREEMENTS, today=DAYS)
def test_law_page_api_and_command_agree(house: Any, agreement: Agreement, today: date) -> None:
    house.clock.now = at(today)
    keep(house, agreement)
    held = {"agreement": "AZ-7", "key": KEY}
    shown = command(house)
    answer = house.client.json("/api/renewals", held)
    if shown["state"] == "withdrawn":
        assert answer.status == 404
        return
    said = answer.json
    for name in ("state", "covered_from", "covered_until", "days_left", "newest_entitled", "because"):
        assert said[name] == shown[name], name
    for name in ("rule", "compared", "would_change"):
        assert said.get(name) == (shown[name] if shown["rule"] else None), name
    page = house.client.page(house.client.form("/api/renewals", held).headers["location"]).text
    tree = lxml.html.fromstring(page)
    assert tree.xpath("//h1")[0].text == f"Agreement AZ-7: {shown['state']}"
    assert tree.xpath("//time/@datetime") == [shown["covered_from"], shown["covered_until"]]
    newest = shown["newest_entitled"]
    assert tree.xpath("//dd/a/text()") == ([newest["version"]] if newest else [])
    assert reasons(page) == list(map(for_readers, shown["because"]))
    for version in ("1.0", "2.0"):
        decision = command(house, "--version", version)["decision"]
        asked = {**held, "product": "widget", "version": version, "file": "setup.zip"}
        download = house.client.json("/api/downloads", asked)
        assert download.status == (200 if decision["entitled"] else 403)
        assert download.json["rule"] == decision["rule"]
        assert download.json["compared"] == decision["compared"]
        assert download.json["because"] == decision["because"]
        assert download.json.get("would_change", "") == decision["would_change"]
        refused = house.client.form("/api/downloads", asked)
        if not decision["entitled"]:
            assert reasons(refused.text) == list(map(for_readers, decision["because"]))
        updates = house.client.json("/api/updates", {**held, "product": "widget", "version": version}).json
        assert updates["newest_entitled"] == newest
        assert updates.get("rule") == said.get("rule")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(agreement=AGREEMENTS, today=DAYS)
def test_law_my_page_says_the_same_as_the_key(house: Any, agreement: Agreement, today: date) -> None:
    """Who has signed in sees what the key gets: the same answer, and the releases that may be downloaded."""
    house.clock.now = at(today)
    keep(house, replace(agreement, contacts=("ann@example.gov",)))
    session = WebSession(
        id="1",
        secret_hash="none",
        address="Ann@example.gov",
        browser="Firefox",
        began=house.clock.now,
        seen=house.clock.now,
    )
    mine = house.desk.my_pages.page(session)
    held = {"agreement": "AZ-7", "key": KEY}
    by_key = house.client.json("/api/renewals", held)
    given_ = [
        version
        for version in ("2.0", "1.0")
        if house.client.json(
            "/api/downloads", {**held, "product": "widget", "version": version, "file": "setup.zip"}
        ).status
        == 200
    ]
    assert [one.as_json() for one in mine.agreements] == ([by_key.json] if by_key.status == 200 else [])
    assert [(one.version, one.agreement) for one in mine.downloads] == [(one, "AZ-7") for one in given_]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changed=AGREEMENTS, later=AGREEMENTS, today=DAYS)
def test_law_changing_one_agreement_changes_no_other(
    house: Any, changed: Agreement, later: Agreement, today: date
) -> None:
    house.clock.now = at(today)
    keep(house, changed)

    def others() -> Sequence[Any]:
        held = ({"agreement": number, "key": key} for number, key in house.keys.items())
        return [house.client.json("/api/renewals", one).json for one in held]

    before = others()
    keep(house, later)
    assert others() == before


@pytest.mark.parametrize(
    ("minutes", "status", "rule"), [(-1, 200, "current agreement"), (0, 403, "released outside cover")]
)
def test_cover_ends_at_midnight_of_the_vendors_zone(house: Any, minutes: int, status: int, rule: str) -> None:
    """2025-12-31 is the last day; 1.0 came out in 2024, before the first."""
    ended = at(date(2026, 1, 1), 0)
    house.clock.now = ended + timedelta(minutes=minutes)
    held = house.desk.store.agreement("AZ-1002")
    keep(house, replace(held, agreement="AZ-7", starts=date(2025, 1, 1), paid=()))
    asked = {"agreement": "AZ-7", "key": KEY, "product": "widget", "version": "1.0", "file": "setup.zip"}
    answer = house.client.json("/api/downloads", asked)
    assert (answer.status, answer.json["rule"]) == (status, rule)


def test_a_release_under_embargo_is_not_there_for_anybody(house: Any) -> None:
    """It is in no catalog before its hour; a version that never was is refused in the same words."""
    held = {"agreement": "AZ-1001", "key": house.keys["AZ-1001"]}
    answers = [
        house.client.json("/api/downloads", {**held, "product": "widget", "version": version})
        for version in ("3.0", "9.9")
    ]
    first, second = [(one.status, one.json) for one in answers]
    assert first == second
    assert first[0] == 422
