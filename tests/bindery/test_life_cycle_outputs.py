"""Every output that tells a life cycle tells the same: catalog, data, feed and calendar, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import vobject

from bindery import binding, memory, support
from bindery.library import Library
from bindery.outputs import calendars, catalog, data, feeds

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = Path(__file__).parent / "schemas"
SITE = "https://support.example/"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def library() -> Library:
    """The site's own content: three lines, ends by rule, by hand and open."""
    return binding.check(ROOT / "content", now=NOW)


@pytest.fixture(scope="module")
def answers(library: Library) -> dict[tuple[str, str], support.Answer]:
    return support.answers(library)


@pytest.fixture(scope="module")
def products(library: Library, answers: Any) -> dict[str, Any]:
    ((_, text),) = catalog.outputs(library, answers, support.known_issues(library), lambda _: {})
    return dict(json.loads(text)["products"])


def versions(products: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for product, told in products.items():
        for version, release in told["releases"].items():
            if release["kind"] == "version":
                yield product, version, release


def made(library: Library, answers: Any, now: datetime = NOW) -> dict[str, Any]:
    outputs = data.outputs(library, answers, site_url=SITE, now=now)
    return {path: json.loads(text) for path, text in outputs}


def events_of(library: Library, answers: Any, name: str) -> list[Any]:
    text = dict(calendars.outputs(library, answers, site_url=SITE))[f"calendar/{name}.ics"]
    calendar = vobject.readOne(text, validate=True)
    assert calendar.validate(raiseException=True)
    return list(calendar.vevent_list)


def test_endoflife_date_shape_passes_its_schema_and_agrees_with_the_catalog(
    library: Library, answers: Any, products: dict[str, Any]
) -> None:
    schema = json.loads((SCHEMAS / "eol-product.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    files = made(library, answers)
    told: dict[tuple[str, str], Any] = {}
    for product in products:
        answer = files[f"data/eol/v1/products/{product}.json"]
        assert [error.message for error in validator.iter_errors(answer)] == []
        assert answer["result"]["label"] == products[product]["name"]
        told |= {(product, release["name"]): release for release in answer["result"]["releases"]}
    assert set(told) == {(product, version) for product, version, _ in versions(products)}
    for product, version, release in versions(products):
        cycle = told[product, version]
        assert cycle["releaseDate"] == release["released"]
        assert cycle["eolFrom"] == release["support_ends"]
        over = release["support_ends"] is not None and release["support_ends"] < "2026-11-23"
        assert (cycle["isEol"], cycle["isMaintained"]) == (over, not over)
        assert (cycle["custom"] is not None) == release["sample"]
        latest = products[product]["releases"][cycle["latest"]["name"]]
        assert cycle["latest"]["date"] == latest["released"]
        assert cycle["latest"]["link"] == SITE + latest["url"].lstrip("/")
        later = [
            other["released"]
            for name, other in products[product]["releases"].items()
            if other["of"] == version or name == version
        ]
        assert cycle["latest"]["date"] == max(later)


def test_openeox_core_passes_its_schema_and_agrees_with_the_catalog(
    library: Library, answers: Any, products: dict[str, Any]
) -> None:
    schema = json.loads((SCHEMAS / "openeox-core.schema.json").read_text())
    checker = jsonschema.FormatChecker(formats=["date-time"])
    validator = jsonschema.Draft202012Validator(schema, format_checker=checker)
    assert not validator.is_valid({**_core(), "end_of_life": "soon"})
    assert validator.is_valid({**_core(), "end_of_life": "tba"})
    files = made(library, answers)
    for product, told in products.items():
        cores = files[f"data/openeox/{product}.json"]
        assert set(cores) == set(told["releases"])
        for version, core in cores.items():
            assert [error.message for error in validator.iter_errors(core)] == []
            ends = told["releases"][version]["support_ends"]
            assert core["end_of_life"] == core["end_of_security_support"]
            assert core["end_of_life"][:10] == ends if ends else core["end_of_life"] == "tba"


def _core() -> dict[str, str]:
    day = "2026-11-23T00:00:00Z"
    schema = "https://docs.oasis-open.org/openeox/eox-core/v1.0/schema/core.json"
    return {"$schema": schema, "end_of_life": day, "end_of_security_support": day, "last_updated": day}


def test_a_status_turns_at_midnight_after_the_last_day_where_the_vendor_is(
    library: Library, answers: Any
) -> None:
    def cycle(now: datetime) -> Any:
        releases = made(library, answers, now)["data/eol/v1/products/cityworks.json"]["result"]["releases"]
        return next(release for release in releases if release["name"] == "15.8")

    turn = datetime(2027, 1, 29, 7, tzinfo=UTC)  # midnight in Denver
    assert turn in data.turns(library, answers)
    before, after = cycle(turn - timedelta(seconds=1)), cycle(turn)
    assert (before["isEol"], before["isMaintained"]) == (False, True)
    assert (after["isEol"], after["isMaintained"]) == (True, False)


def test_a_build_with_nothing_changed_still_turns_a_status(tmp_path: Path) -> None:
    def built(now: datetime) -> tuple[bool, Any]:
        done = binding.build(
            ROOT / "content", ROOT / "site", tmp_path / "dist", now=now, jobs=1, cache=tmp_path / "cache"
        )
        told = json.loads((tmp_path / "dist/public/data/eol/v1/products/cityworks.json").read_text())
        over = next(one["isEol"] for one in told["result"]["releases"] if one["name"] == "15.8")
        return done.nothing_changed, over

    assert built(datetime(2027, 1, 28, 12, tzinfo=UTC)) == (False, False)
    assert built(datetime(2027, 1, 28, 13, tzinfo=UTC)) == (True, False)
    assert built(datetime(2027, 1, 29, 12, tzinfo=UTC)) == (False, True)


def test_calendar_and_feed_tell_the_ends_of_the_catalog_and_no_other(
    library: Library, answers: Any, products: dict[str, Any]
) -> None:
    known = {
        f"life-cycle/{product}/{version}": release["support_ends"]
        for product, version, release in versions(products)
        if release["support_ends"]
    }
    events = events_of(library, answers, "life-cycle")
    host = "azteca.example"
    assert {event.uid.value: event.dtstart.value.isoformat() for event in events} == {
        f"{name}@{host}": day for name, day in known.items()
    }
    for event in events:
        assert event.dtend.value == event.dtstart.value + timedelta(days=1)
        assert event.dtstamp.value <= NOW
        assert event.sequence.value == "0"
    plans = feeds.plans(
        library,
        answers,
        support.known_issues(library),
        site_url=SITE,
        bodies=memory.Bodies(library, None, ROOT / "site", "", lambda _: ""),
        render=lambda name, values: f"{name} {values}",
    )
    told = next(plan.text() for plan in plans if plan.path == "feeds/life-cycle.json")
    entries = json.loads(told)["items"]
    assert {
        entry["id"].partition(":feeds/")[0].partition(",2026:")[2]: entry["title"][-10:] for entry in entries
    } == known


def test_the_calendar_of_events_has_each_on_all_its_days(library: Library, answers: Any) -> None:
    events = {event.uid.value: event for event in events_of(library, answers, "events")}
    assert set(events) == {f"{event.id}@azteca.example" for event in library.events}
    days = events["events/user-days-2027@azteca.example"]
    assert (days.dtstart.value, days.dtend.value) == (date(2027, 5, 11), date(2027, 5, 14))
    assert days.location.value == "Sandy, Utah"
    assert days.url.value == f"{SITE}events/user-days-2027/"


def test_a_calendar_is_the_same_bytes_twice_in_folded_lines(library: Library, answers: Any) -> None:
    first, second = (list(calendars.outputs(library, answers, site_url=SITE)) for _ in range(2))
    assert first == second
    for _, text in first:
        assert text.endswith("END:VCALENDAR\r\n")
        assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
        assert "\n" not in text.replace("\r\n", "")
        assert "NAME:Azteca Systems\\, LLC: " in text
