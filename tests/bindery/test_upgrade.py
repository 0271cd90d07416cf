"""Upgrades: what is new on the way, what may not be skipped, and the laws of both."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bindery import binding, prose, support
from bindery.cli import main
from bindery.library import Library
from bindery.outputs import upgrades as data
from bindery.upgrade import LEG, WHOLE, Guide, Ways, between, key_of

Shelve = Callable[..., Library]
ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2040, 1, 1, tzinfo=UTC)


def _release(version: str, day: str, more: str, body: str) -> str:
    return f"---\nversion: {version}\nreleased: {day}\n{more}summary: S.\n---\n\n{body}"


def _guide(library: Library, start: str, goal: str, product: str = "works") -> Guide:
    first, last = library.release(product, start), library.release(product, goal)
    assert first and last
    ways = Ways(library, product)
    return between(ways, first, last, support.answers(library), support.known_issues(library))


def _keys(guide: Guide) -> set[tuple[str, str]]:
    return {key_of(gain.entry) for gain in guide.gains}


@pytest.fixture(scope="module")
def real() -> Library:
    return binding.check(ROOT / "content", now=datetime(2026, 11, 23, 12, tzinfo=UTC))


def test_a_fix_that_both_lines_have_is_not_new_and_not_lost(real: Library) -> None:
    guide = _guide(real, "15.8.9", "23.10", "cityworks")
    shown = {gain.entry.id for gain in (*guide.gains, *guide.losses)}
    assert "CVE-2025-0994" not in shown
    assert next(gain.entry.id for gain in guide.gains) == "CW-2021"


def test_the_fix_is_new_to_those_who_lack_it_on_either_line(real: Library) -> None:
    for start, goal in (("15.8", "15.8.9"), ("15.8", "23.10"), ("23", "23.10")):
        assert ("CVE-2025-0994", "Fixed") in _keys(_guide(real, start, goal, "cityworks"))


def test_going_to_a_release_without_the_fix_says_that_it_is_missing(real: Library) -> None:
    lost = [gain.entry.id for gain in _guide(real, "15.8.9", "23.5", "cityworks").losses]
    assert "CVE-2025-0994" in lost


def test_a_required_stop_on_the_way_is_told_and_the_goal_is_none(shelved: Shelve) -> None:
    library = shelved(
        {
            "releases/works/1.5.md": _release(
                "1.5", "2024-08-01", "kind: version\nrequires_stop: true\n", ""
            ),
            "releases/works/3.0.md": _release(
                "3.0", "2026-08-01", "kind: version\nrequires_stop: true\n", ""
            ),
        }
    )
    assert [stop.version for stop in _guide(library, "1.0", "3.0").stops] == ["1.5"]


def test_a_bullet_without_an_id_and_a_paragraph_are_notes() -> None:
    body = (
        "## Upgrade notes\n\nRead this.\nAnd this.\n\n- Plain\n  in two lines\n- CW-1: An entry\n  of two\n"
        "\n## Sources\n\n- No note\n"
    )
    assert prose.notes(body, body) == (
        prose.Note("Upgrade notes", ""),
        prose.Note("Upgrade notes", "Plain in two lines"),
    )


def test_the_page_shows_notes_by_release_with_links_that_lead_there(small: Callable[..., Path]) -> None:
    library = binding.check(small(), now=NOW)
    from bindery import render
    from bindery.outputs import pages

    plans = pages.plan(library, support.answers(library), render.templates(ROOT / "site"))
    text = next(plan.text() for plan in plans if plan.url == "upgrade/works/1.1/")
    assert "### 2.0\n\n- New: See [the first](/releases/works/1.0/)." in text
    assert "[New](/releases/works/2.0/#new)" in text


def test_the_command_answers_and_refuses_a_way_back(small: Callable[..., Path]) -> None:
    content = str(small())
    run = CliRunner().invoke
    done = run(main, ["upgrade", "works", "1.0", "2.0", "--json", "--content", content])
    assert [entry["id"] for entry in json.loads(done.output)["entries"]] == ["WK-2"]
    back = run(main, ["upgrade", "works", "2.0", "1.0", "--content", content])
    assert (back.exit_code, back.output) == (
        1,
        "Error: TO must be a release that 2.0 does not contain, not '1.0'\n",
    )


# Laws

Drawn = list[tuple[bool, list[tuple[str, int]]]]  # is it a version; its entries as (section, number)
drawn = st.lists(
    st.tuples(
        st.booleans(),
        st.lists(
            st.tuples(
                st.sampled_from(("New", "Changed", "Fixed", "Security", "Breaking changes", "Requirements")),
                st.integers(1, 12),
            ),
            max_size=4,
            unique_by=lambda one: one[1],
        ),
    ),
    min_size=2,
    max_size=9,
)


def _made(lines: dict[str, Drawn]) -> Library:
    """A library of lines; the first release of each is a version, all are a month apart in turns."""
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder)
        from importlib import util

        spec = util.spec_from_file_location("small", Path(__file__).with_name("small_content.py"))
        assert spec and spec.loader
        module = util.module_from_spec(spec)
        spec.loader.exec_module(module)
        changes: dict[str, str | None] = {
            f"releases/works/{old}.md": None for old in ("1.0", "1.1", "2.0")
        } | {"newsletter/spring.md": None}
        for number, (line, releases) in enumerate(lines.items()):
            version = ""
            for place, (starts, entries) in enumerate(releases):
                name = f"{line}.{place}"
                day = date(2020, 1, 1) + timedelta(days=31 * place + number)
                kind = "kind: version\n" if starts or not place else f"kind: update\nof: {version}\n"
                version = name if starts or not place else version
                body = "".join(f"## {section}\n\n- WK-{n}: Text.\n\n" for section, n in entries)
                changes[f"releases/works/{name}.md"] = _release(
                    name, day.isoformat(), f"{kind}line: {line}\n", body
                )
        module.write(content, changes)
        return binding.check(content, now=NOW)


_quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_quick
@given(drawn, st.data())
def test_law_the_way_in_two_parts_tells_what_the_way_at_once_tells(line: Drawn, pick: st.DataObject) -> None:
    library = _made({"1": line})
    chain = library.contains(library.releases[-1])[::-1]
    places = sorted(pick.draw(st.lists(st.integers(0, len(chain) - 1), min_size=3, max_size=3)))
    a, b, c = (chain[place].version for place in places)
    assert _keys(_guide(library, a, c)) == _keys(_guide(library, a, b)) | _keys(_guide(library, b, c))


@_quick
@given(drawn, drawn)
def test_law_across_two_lines_nothing_had_is_new_and_nothing_is_lost(one: Drawn, other: Drawn) -> None:
    library = _made({"1": one, "2": other})

    def contained(version: str) -> set[tuple[str, str]]:
        release = library.release("works", version)
        assert release
        return {key_of(entry) for each in library.contains(release) for entry in each.entries}

    for start in library.releases:
        for goal in library.releases:
            guide = _guide(library, start.version, goal.version)
            assert _keys(guide) == contained(goal.version) - contained(start.version)
            assert {key_of(gain.entry) for gain in guide.losses} == {
                key for key in contained(start.version) - contained(goal.version) if key[1] == "Fixed"
            }


def test_a_long_way_is_told_in_parts_that_together_tell_all() -> None:
    library = _made({"1": [(not n, [("Fixed", n + 1)]) for n in range(60)]})
    ways = Ways(library, "works")
    assert ways.newest
    current, told, parts = library.releases[3], [], 0
    while leg := ways.leg(current):
        assert len(leg) <= WHOLE
        told += [release.version for release in leg]
        current, parts = leg[-1], parts + 1
    assert told == [release.version for release in library.releases[4:]]
    assert parts > 1 and ways.leg(library.releases[LEG])[-1].version == f"1.{3 * LEG}"
    made = dict(data.outputs(library, support.answers(library), support.known_issues(library)))
    answer = json.loads(made["data/upgrade/works/1.3.json"])
    assert answer["continue"] == "/data/upgrade/works/1.20.json"
    assert len(answer["releases"]) == 17
