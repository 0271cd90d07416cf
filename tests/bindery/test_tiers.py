"""Support in tiers: what the rules may say, and that every output tells the same ends, field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import icalendar
import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindery import checks, kinds, reading, source, support
from bindery.fields import Duration
from bindery.library import Library
from bindery.outputs import calendars, catalog, data, pages
from bindery.source import Problem, Problems

Shelve = Callable[..., Library]
ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = Path(__file__).parent / "schemas"
SITE = "https://support.example/"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TEMPLATES = {
    path.relative_to(ROOT / "site/templates").as_posix(): path.read_text("utf-8")
    for path in sorted((ROOT / "site/templates").rglob("*"))
    if path.is_file()
}
VENDOR = "{name: Example, url: 'https://www.example.com/', address: a, phone: '1'}"
HOME = f"---\ntitle: S\nsummary: s\nvendor: {VENDOR}\n---\n"
TWO = "tiers: [{name: maintenance, for: 6 months}, {name: security, for: 12 months}], "
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October")
MONTHS = (*MONTHS, "November", "December")


def policy(*rules: str) -> str:
    listed = "\n".join(
        f"  - {{{rule}renewal: 1 year, complimentary: {{site: 1 year, seat: 90 days}}}}" for rule in rules
    )
    return f"""---
title: Policy
rules:
{listed}
hours: {{time_zone: America/Denver, days: [Mon], open: "08:00", close: "17:00"}}
first_response: {{P1: 1 hour, P2: 4 hours, P3: 1 day, P4: 2 days}}
mailboxes: {{client_services: a@b.example, client_services_manager: a@b.example, programming: a@b.example}}
---
"""


def rule(since: str, months: int, more: str = "") -> str:
    return f"since: {since}, prior_version_support: {months} months, {more}"


def release(version: str, day: date, more: str = "") -> str:
    kind = "" if "of:" in more else "kind: version\n"
    return f"---\nversion: '{version}'\nreleased: {day}\n{kind}{more}---\n"


def library_of(files: dict[str, str], now: datetime = NOW) -> Library:
    """A library of texts, without a disk. Raises Problems."""
    problems: list[Problem] = []
    given = {"index.md": HOME, "releases/works/index.md": "---\nname: Works\n---\n", **files}
    items = {path: kinds.parse(source.parse(text, path), problems) for path, text in given.items()}
    if problems:
        raise Problems(problems)
    scan = reading.Scan(
        items={path: item for path, item in items.items() if item}, attached=(), problems=(), signatures={}
    )
    made = checks.assemble(scan, content=Path("none"), now=now)
    return replace(made, _texts=given)


def told(library: Library, version: str) -> list[tuple[str, date | None, str]]:
    answer = support.answers(library)["works", version]
    return [(tier.name, tier.ends, tier.ends_after_next) for tier in answer.tiers]


def two_versions(*rules: str, first: str = "", second: date = date(2025, 2, 28)) -> Library:
    return library_of(
        {
            "policy/support.md": policy(*rules),
            "releases/works/1.0.md": release("1.0", date(2024, 1, 31), first),
            "releases/works/1.1.md": release("1.1", date(2024, 6, 1), "kind: update\nof: '1.0'\n"),
            "releases/works/2.0.md": release("2.0", second),
        }
    )


def test_each_tier_ends_so_long_after_the_next_version_and_says_why() -> None:
    answer = support.answers(two_versions(rule("1990-01-01", 12, TWO)))["works", "1.0"]
    assert answer.ends == date(2026, 2, 28)
    assert [(tier.name, tier.ends) for tier in answer.tiers] == [
        ("maintenance", date(2025, 8, 28)),
        ("security", date(2026, 2, 28)),
    ]
    assert answer.tiers[0].because == (
        "Works 2.0, the next version of its line, was released on 2025-02-28 (releases/works/2.0.md:3)",
        "prior versions have maintenance support for 6 months after that (policy/support.md:4)",
    )


def test_the_tiers_of_the_newest_version_are_open() -> None:
    assert told(two_versions(rule("1990-01-01", 12, TWO)), "2.0") == [
        ("maintenance", None, "6 months"),
        ("security", None, "12 months"),
    ]


def test_an_update_has_the_tiers_of_its_version() -> None:
    library = two_versions(rule("1990-01-01", 12, TWO))
    assert told(library, "1.1") == told(library, "1.0")
    because = support.answers(library)["works", "1.1"].tiers[0].because
    assert because[0] == "an update ends with its version, 1.0 (releases/works/1.1.md:5)"


def test_a_rule_that_divides_support_later_shortens_no_part_of_what_was_promised_whole() -> None:
    """12 months of all support were promised at release: maintenance for 6 would be less."""
    library = two_versions(rule("1990-01-01", 12), rule("2025-01-01", 24, TWO.replace("12", "24")))
    assert told(library, "1.0") == [
        ("maintenance", date(2026, 2, 28), ""),
        ("security", date(2027, 2, 28), ""),
    ]
    because = support.answers(library)["works", "1.0"].tiers[0].because
    assert because[-1] == (
        "this rule was promised when it was released, and a later rule never shortens a promise"
    )


def test_a_tier_that_a_later_rule_drops_is_kept_for_what_was_released_before() -> None:
    library = two_versions(
        rule("1990-01-01", 12, TWO), rule("2025-01-01", 3, "tiers: [{name: maintenance, for: 3 months}], ")
    )
    assert told(library, "1.0") == [
        ("maintenance", date(2025, 8, 28), ""),
        ("security", date(2026, 2, 28), ""),
    ]


def test_an_end_by_hand_is_that_of_the_last_tier_and_none_goes_on_after_it() -> None:
    by_hand = "support_ends: {}\nsupport_ends_because: Agreed.\n"
    longer = two_versions(rule("1990-01-01", 12, TWO), first=by_hand.format("2030-06-30"))
    assert told(longer, "1.0") == [
        ("maintenance", date(2025, 8, 28), ""),
        ("security", date(2030, 6, 30), ""),
    ]
    shorter = two_versions(rule("1990-01-01", 12, TWO), first=by_hand.format("2025-05-01"))
    assert told(shorter, "1.0") == [
        ("maintenance", date(2025, 5, 1), ""),
        ("security", date(2025, 5, 1), ""),
    ]


def test_an_open_tier_goes_on_to_an_end_by_hand_at_the_latest() -> None:
    """There is no next version, and may never be one: the tier ends with support then."""
    library = library_of(
        {
            "policy/support.md": policy(rule("1990-01-01", 12, TWO)),
            "releases/works/1.0.md": release(
                "1.0", date(2024, 1, 31), "support_ends: 2026-06-30\nsupport_ends_because: The last.\n"
            ),
        }
    )
    answers = support.answers(library)
    first, last = answers["works", "1.0"].tiers
    assert (first.ends, first.ends_after_next, first.at_latest) == (None, "6 months", date(2026, 6, 30))
    assert first.because[-1] == (
        "no tier goes on after the end of support: The last. (releases/works/1.0.md:5)"
    )
    assert last.ends == date(2026, 6, 30)
    assert "6 months after the next version is released, June 30, 2026 at the latest" in bare(
        page_of(library, answers, "life-cycle/")
    )
    made = dict(data.outputs(library, answers, site_url=SITE, now=NOW))
    (one,) = json.loads(made["data/eol/v1/products/works.json"])["result"]["releases"]
    assert (one["isEoas"], one["eoasFrom"], one["isEol"]) == (True, None, True)


LINES = st.sampled_from(["", "a"])
DAYS = st.one_of(
    st.dates(date(2010, 1, 1), date(2040, 12, 31)),
    st.sampled_from(
        [date(2024, 2, 29), date(2023, 1, 31), date(2024, 1, 31), date(2019, 8, 31), date(2028, 2, 29)]
    ),
)
TIERS = st.lists(st.integers(0, 40), max_size=3)


@st.composite
def rules(draw: st.DrawFn) -> list[str]:
    made = []
    for since in ["1990-01-01", *sorted({day.isoformat() for day in draw(st.lists(DAYS, max_size=2))})]:
        months = sorted(draw(TIERS)) or [draw(st.integers(0, 40))]
        names = ["maintenance", "security", "extended"][: len(months)]
        tiers = ", ".join(
            f"{{name: {name}, for: {count} months}}" for name, count in zip(names, months, strict=True)
        )
        rounding = draw(st.sampled_from(["same day", "month end"]))
        more = f"rounding: {rounding}, " + (f"tiers: [{tiers}], " if draw(st.booleans()) else "")
        made.append(rule(since, months[-1], more))
    return made


def open_end_on(day: str, *rules: str) -> support.Answer:
    library = library_of(
        {"policy/support.md": policy(*rules), "releases/works/1.0.md": release("1.0", date(2024, 1, 31))},
        datetime.fromisoformat(f"{day}T12:00:00+00:00"),
    )
    return support.answers(library)["works", "1.0"]


def test_an_open_end_promises_no_more_than_the_rule_that_holds_until_the_next_one_does() -> None:
    """The next version may come before 2027, when 12 months is all that there is."""
    rules = (rule("1990-01-01", 12), rule("2027-01-01", 24))
    before, after = open_end_on("2026-12-31", *rules), open_end_on("2027-01-01", *rules)
    assert before.ends_after_next == "12 months"
    assert before.because[2:] == (
        "prior versions are supported for 12 months after the next (policy/support.md:4)",
        "if that comes on 2027-01-01 or later, for 24 months (policy/support.md:5)",
    )
    assert after.ends_after_next == "24 months"
    assert after.because[2:] == (
        "prior versions are supported for 24 months after the next (policy/support.md:5)",
    )


def test_an_open_end_is_that_of_a_shorter_rule_to_come_where_nothing_more_was_promised() -> None:
    rules = (rule("1990-01-01", 6), rule("2025-01-01", 24), rule("2027-01-01", 12))
    assert open_end_on("2026-06-01", *rules).ends_after_next == "12 months"


@settings(max_examples=60, deadline=None)
@given(rules(), DAYS, st.integers(0, 3000), st.integers(0, 3000))
def test_the_end_is_never_earlier_than_the_open_end_said(
    given: list[str], day: date, asked: int, wait: int
) -> None:
    """Whatever was read while the end was open holds when the next version comes."""
    today = day + timedelta(days=asked)
    following = today + timedelta(days=wait)
    files = {"policy/support.md": policy(*given), "releases/works/1.0.md": release("1.0", day)}
    now = datetime(today.year, today.month, today.day, 20, tzinfo=UTC)
    told_before = support.answers(library_of(files, now))["works", "1.0"]
    files["releases/works/2.0.md"] = release("2.0", following)
    decided = support.answers(library_of(files, now))["works", "1.0"]
    count, unit = told_before.ends_after_next.split()
    assert decided.ends is not None
    assert decided.ends >= Duration(count=int(count), unit=unit.removesuffix("s")).after(following)
    lengths = [int(tier.ends_after_next.split()[0]) for tier in told_before.tiers]
    assert lengths == sorted(lengths)
    assert not lengths or told_before.tiers[-1].ends_after_next == told_before.ends_after_next


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            "tiers: [{name: maintenance, for: 6 months}], ",
            "'rules[1].prior_version_support' must be as long as the last tier, maintenance, such as "
            "6 months, not '12 months'",
        ),
        (
            "tiers: [{name: a, for: 12 months}, {name: b, for: 6 months}, {name: c, for: 1 year}], ",
            "'rules[1].tiers[2].for' must be as long as the tier before it, or longer, such as 12 months, "
            "not '6 months'",
        ),
        (
            "tiers: [{name: a, for: 6 months}, {name: a, for: 12 months}], ",
            "'rules[1].tiers[2].name' must be a name that no other tier has such as security, not 'a' again",
        ),
        (
            "tiers: [{name: A B, for: 12 months}], ",
            "'rules[1].tiers[1].name' must be a word such as maintenance, not 'A B'",
        ),
        (
            "tiers: [{name: a, for: 5 hours}], ",
            "'rules[1].tiers[1].for' must be days, months or years such as 6 months, not '5 hours'",
        ),
        (
            "tiers: [{name: a, fro: 12 months}], ",
            "'rules[1].tiers[1].fro' must be a field of a tier such as 'for', not an unknown one",
        ),
        (
            "tiers: [{name: a, for: 365 days}], ",
            "'rules[1].prior_version_support' must be as long as the last tier, a, such as 365 days, "
            "not '12 months'",
        ),
        (
            "tiers: [{name: a, for: 1 month}, {name: b, for: 2 months}, {name: c, for: 3 months}, "
            "{name: d, for: 12 months}], ",
            "'rules[1].tiers' must be at most 3 tiers such as maintenance and security, not 4",
        ),
    ],
)
def test_a_wrong_tier_is_a_problem_with_its_line(more: str, message: str) -> None:
    problems: list[Problem] = []
    kinds.parse(source.parse(policy(rule("1990-01-01", 12, more)), "policy/support.md"), problems)
    assert message in [problem.message for problem in problems]
    assert {problem.path for problem in problems} == {"policy/support.md"}


def test_twelve_months_are_a_year() -> None:
    problems: list[Problem] = []
    kinds.parse(
        source.parse(
            policy(rule("1990-01-01", 12, "tiers: [{name: a, for: 1 year}], ")), "policy/support.md"
        ),
        problems,
    )
    assert problems == []


# Every output


@st.composite
def libraries(draw: st.DrawFn) -> Library:
    files = {"policy/support.md": policy(*draw(rules()))}
    days = sorted(draw(st.lists(DAYS, min_size=1, max_size=5, unique=True)))
    for number, day in enumerate(days, 1):
        version = f"{number}.0"
        line = draw(LINES)
        more = f"line: {line}\n" if line else ""
        if draw(st.integers(0, 4)) == 0:
            more += (
                f"support_ends: {day + timedelta(days=draw(st.integers(0, 900)))}\nsupport_ends_because: B.\n"
            )
        files[f"releases/works/{version}.md"] = release(version, day, more)
        if draw(st.booleans()):
            later = day + timedelta(days=draw(st.integers(1, 400)))
            files[f"releases/works/{number}.1.md"] = release(
                f"{number}.1", later, f"kind: update\nof: '{version}'\n"
            )
    return library_of(files)


def in_words(day: date) -> str:
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def page_of(library: Library, answers: Any, url: str) -> str:
    known = support.known_issues(library)
    made = pages.plan(library, answers, known, TEMPLATES, html_of=lambda text: text)
    return next(plan for plan in made if plan.url == url).text()


def cell(end: Any) -> str:
    if end.ends:
        return in_words(end.ends)
    latest = getattr(end, "at_latest", None)
    return f"{end.ends_after_next} after the next version is released" + (
        f", {in_words(latest)} at the latest" if latest else ""
    )


def bare(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@settings(max_examples=40, deadline=None)
@given(libraries())
def test_all_outputs_tell_the_same_ends(library: Library) -> None:
    answers = support.answers(library)
    ((_, text),) = catalog.outputs(library, answers, {}, lambda _: {})
    releases = json.loads(text)["products"]["works"]["releases"]
    files = {path: json.loads(text) for path, text in data.outputs(library, answers, site_url=SITE, now=NOW)}
    eol = {one["name"]: one for one in files["data/eol/v1/products/works.json"]["result"]["releases"]}
    cores = files["data/openeox/works.json"]
    for key, schema, value in (
        ("eol-product", "", files["data/eol/v1/products/works.json"]),
        *(("openeox-core", version, core) for version, core in cores.items()),
    ):
        assert schema is not None
        checker = jsonschema.FormatChecker()
        jsonschema.Draft202012Validator(
            json.loads((SCHEMAS / f"{key}.schema.json").read_text()), format_checker=checker
        ).validate(value)
    ends: dict[str, date] = {}
    table = page_of(library, answers, "life-cycle/")
    heads = [bare(head) for head in re.findall(r'<th scope="col">(.*?)</th>', table)]
    rows = {
        bare(row[0]).partition(" ")[0]: [bare(one) for one in row[1:]]
        for row in (
            re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line)
            for line in table.splitlines()
            if '<th scope="row">' in line
        )
    }
    for (_, version), answer in answers.items():
        one = releases[version]
        # The catalog
        assert one["support_ends"] == (answer.ends and answer.ends.isoformat())
        assert [(tier["name"], tier["ends"], tier["ends_after_next"]) for tier in one.get("tiers", [])] == [
            (tier.name, tier.ends and tier.ends.isoformat(), tier.ends_after_next or None)
            for tier in answer.tiers
        ]
        # OpenEoX
        core = cores[version]
        assert core["end_of_life"][:10] == (str(answer.ends) if answer.ends else "tba")
        security = answer if len(answer.tiers) < 2 else answer.tiers[-1 if len(answer.tiers) == 2 else -2]
        assert core["end_of_security_support"][:10] == (str(security.ends) if security.ends else "tba")
        assert core["general_availability"][:10] == one["released"]
        # The page of the release
        page = bare(page_of(library, answers, f"releases/works/{version}/"))
        assert f"Supported until {cell(answer)}" in page
        for tier in answer.tiers[:-1]:
            assert f"{tier.name.capitalize()} support until {cell(tier)}" in page
        if one["kind"] == "update":
            continue
        # endoflife.date's shape
        told_there = eol[version]
        assert told_there["eolFrom"] == (security.ends and security.ends.isoformat())
        over = security.ends or getattr(security, "at_latest", None)  # an open end can be past all the same
        assert told_there["isEol"] == (over is not None and over < NOW.date())
        assert told_there["isMaintained"] == (answer.ends is None or answer.ends >= NOW.date())
        if len(answer.tiers) > 1:
            assert told_there["eoasFrom"] == (answer.tiers[0].ends and answer.tiers[0].ends.isoformat())
        if len(answer.tiers) > 2:
            assert told_there["eoesFrom"] == (answer.ends and answer.ends.isoformat())
        # The table of life cycles
        row = dict(zip(heads[1:], rows[version], strict=True))
        columns = [head.removesuffix(" until").lower() for head in heads if head.endswith(" until")]
        if columns == ["supported"]:
            assert row["Supported until"] == cell(answer)
        for column in columns if columns != ["supported"] else ():
            tier = answer.until(column)
            assert row[f"{column.capitalize()} until"] == (cell(tier) if tier else "none")
        # What feed and calendar tell
        for tier in answer.tiers[:-1]:
            if tier.ends:
                ends[f"life-cycle/works/{version}/{tier.name}"] = tier.ends
        if answer.ends:
            ends[f"life-cycle/works/{version}"] = answer.ends
    assert {end.name: end.day for end in support.ends(library, answers)} == ends
    ics = dict(calendars.outputs(library, answers, site_url=SITE))["calendar/life-cycle.ics"]
    events = icalendar.Calendar.from_ical(ics).walk("VEVENT")
    assert {str(event["uid"]).partition("@")[0]: event["dtstart"].dt for event in events} == ends


@settings(max_examples=60, deadline=None)
@given(rules(), rules(), DAYS, st.integers(0, 3000))
def test_no_later_rule_shortens_any_tier(first: list[str], more: list[str], day: date, wait: int) -> None:
    """What the rules promised on the day of release, they keep whatever is added afterwards."""
    following = day + timedelta(days=wait)
    early = [one for one in first if one[7:17] <= day.isoformat()]
    later = [one for one in more if day.isoformat() < one[7:17]]
    texts = {
        "releases/works/1.0.md": release("1.0", day),
        "releases/works/2.0.md": release("2.0", following),
    }
    before = support.answers(library_of({**texts, "policy/support.md": policy(*early)}))["works", "1.0"]
    after = support.answers(library_of({**texts, "policy/support.md": policy(*early, *later)}))[
        "works", "1.0"
    ]
    assert before.ends is not None
    assert after.ends is not None
    assert after.ends >= before.ends
    for tier in before.tiers:
        kept = after.until(tier.name)
        assert kept is not None
        assert kept.ends is not None
        assert tier.ends is not None
        assert kept.ends >= tier.ends
    for tier in after.tiers:  # support that was one thing is every tier until its end
        was = before.until(tier.name)
        assert was is None or (was.ends is not None and tier.ends is not None and tier.ends >= was.ends)
    known = [tier.ends for tier in after.tiers if tier.ends]
    assert known == sorted(known)
    assert not known or known[-1] == after.ends


@settings(max_examples=40, deadline=None)
@given(libraries(), DAYS)
def test_a_further_version_changes_no_end_that_is_known(library: Library, day: date) -> None:
    newest = max(one.released for one in library.releases)
    further = max(day, newest + timedelta(days=1))
    files = {item.path: library._texts[item.path] for item in library.items}
    files["releases/works/99.0.md"] = release("99.0", further)
    before, after = support.answers(library), support.answers(library_of(files))
    for key, answer in before.items():
        if answer.ends is not None:
            assert after[key].ends == answer.ends
        for tier in answer.tiers[:-1]:  # the last ends with support, whatever a later rule calls it
            if tier.ends is not None:
                assert after[key].until(tier.name) == tier


@pytest.mark.parametrize(  # from the calendar on the wall
    ("day", "length", "rounding", "end"),
    [
        (date(2023, 1, 31), "1 month", "same day", date(2023, 2, 28)),
        (date(2024, 1, 31), "1 month", "same day", date(2024, 2, 29)),
        (date(2024, 2, 29), "12 months", "same day", date(2025, 2, 28)),
        (date(2024, 2, 29), "12 months", "month end", date(2025, 2, 28)),
        (date(2023, 2, 28), "12 months", "month end", date(2024, 2, 29)),
        (date(2024, 2, 29), "4 years", "same day", date(2028, 2, 29)),
        (date(2024, 8, 31), "6 months", "same day", date(2025, 2, 28)),
        (date(2024, 12, 15), "1 month", "month end", date(2025, 1, 31)),
        (date(2024, 2, 1), "30 days", "same day", date(2024, 3, 2)),
        (date(2023, 12, 31), "2 months", "same day", date(2024, 2, 29)),
    ],
)
def test_lengths_end_where_the_calendar_has_them(day: date, length: str, rounding: str, end: date) -> None:
    count, unit = length.split()
    assert Duration(count=int(count), unit=unit.rstrip("s")).after(day, rounding=rounding) == end
