"""security.txt, as RFC 9116 asks: whom to tell, and an end that always lies ahead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bindery import binding
from bindery.library import Library
from bindery.outputs.disclosure import PATH, plans, turns

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOME = "---\ntitle: Home\nvendor:\n  name: A Vendor\n---\n\nWelcome.\n"
SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def told(library: Library, now: datetime = NOW) -> dict[str, str]:
    ((_, _, make),) = plans(library, site_url="https://support.example.org/", now=now)
    return dict(line.split(": ", 1) for line in make().splitlines())


def test_it_names_contact_end_language_its_own_address_and_the_policy(
    shelved: Callable[..., Library],
) -> None:
    """Promise 30: a valid, unexpired security.txt."""
    library = shelved({"index.md": HOME.replace("---\n", "---\nsecurity_contact: security@example.com\n", 1)})
    assert told(library) == {
        "Contact": "mailto:security@example.com",
        "Expires": "2027-07-01T00:00:00Z",
        "Preferred-Languages": "en",
        "Canonical": "https://support.example.org/.well-known/security.txt",
        "Policy": "https://support.example.org/policy/",
    }


@given(st.timedeltas(timedelta(0), timedelta(days=40_000)).map(lambda span: SOME_TIME + span))
def test_it_is_never_past_its_end_and_never_good_for_more_than_a_year(now: datetime) -> None:
    ends = turns(turns(now)[0])[0]
    assert timedelta(days=180) < ends - now <= timedelta(days=367)
    assert now < turns(now)[0] <= ends


def test_the_turn_of_the_half_year_makes_it_anew_though_nothing_else_changed(
    small: Callable[..., Path], tmp_path: Path
) -> None:
    content, cache = (
        small({"index.md": HOME.replace("name:", "email: a@example.com\n  name:", 1)}),
        tmp_path / "cache",
    )
    file = tmp_path / "dist/public" / PATH

    def build(now: datetime) -> str:
        binding.build(content, ROOT / "site", tmp_path / "dist", now=now, jobs=1, cache=cache)
        return file.read_text()

    first = build(NOW)
    assert build(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == first
    assert "Expires: 2028-01-01T00:00:00Z" in build(datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC))
    assert binding.next_turn(content, NOW, cache=cache) <= datetime(2027, 1, 1, tzinfo=UTC)  # type: ignore[operator]


def test_without_any_address_there_is_no_file(shelved: Callable[..., Library]) -> None:
    assert list(plans(shelved({"index.md": HOME}), site_url="/", now=NOW)) == []
