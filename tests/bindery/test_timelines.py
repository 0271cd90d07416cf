"""The picture of the life cycles: bars lie where their days are, and it says the same in words."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from bindery.outputs.pages.items import Level, Support
from bindery.outputs.pages.timelines import LEFT, MOST, RIGHT, WIDTH, timeline


class Row(NamedTuple):
    label: str
    released: date
    support: Support | None
    url: str = "/"


def row(label: str, released: date, ends: date | None, *tiers: tuple[str, date | None]) -> Row:
    levels = tuple(Level(name, end, "" if end else "12 months", (), None) for name, end in tiers)
    return Row(label, released, Support(ends, "" if ends else "12 months", (), levels))


def test_a_bar_reaches_from_the_release_to_the_end_and_an_open_one_to_the_edge() -> None:
    made = timeline(
        [row("2.0", date(2024, 1, 1), None), row("1.0", date(2023, 1, 1), date(2024, 12, 31))], ()
    )
    assert made
    assert (made.first, made.last) == (date(2023, 1, 1), date(2025, 12, 31))
    new, old = made.bars
    assert [(piece.x, piece.open) for piece in old.pieces] == [(LEFT, False)]
    assert new.pieces[0].open
    assert round(new.pieces[0].x + new.pieces[0].width, 1) == WIDTH - RIGHT
    assert old.told == "1.0: released January 1, 2023, supported until December 31, 2024."
    assert (
        new.told
        == "2.0: released January 1, 2024, supported until 12 months after the next version is released."
    )
    assert [label for _, label in made.years] == ["2023", "2024", "2025"]


def test_tiers_follow_each_other_without_a_gap() -> None:
    tiers = (("full", date(2024, 6, 30)), ("security", date(2024, 12, 31)))
    made = timeline(
        [
            row("1.0", date(2023, 1, 1), date(2024, 12, 31), *tiers),
            row("0.9", date(2022, 1, 1), date(2023, 1, 1)),
        ],
        ("full", "security"),
    )
    assert made
    full, security = made.bars[0].pieces
    assert (full.tier, security.tier) == (0, 1)
    assert round(full.x + full.width, 1) == security.x
    assert made.bars[0].told == (
        "1.0: released January 1, 2023, full until June 30, 2024, security until December 31, 2024."
    )


def test_one_version_needs_no_picture_and_many_are_the_newest() -> None:
    assert timeline([row("1.0", date(2023, 1, 1), None)], ()) is None
    assert timeline([], ()) is None
    many = [row(str(n), date(2000, 1, 1) + timedelta(days=n), date(2010, 1, 1)) for n in range(60, 0, -1)]
    made = timeline(many, ())
    assert made
    assert (len(made.bars), made.left_out) == (MOST, 60 - MOST)
    assert made.bars[0].label == "60"


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.dates(date(1995, 1, 1), date(2040, 1, 1)), st.integers(1, 4000) | st.none()),
        min_size=2,
        max_size=12,
    )
)
def test_everything_lies_within_the_drawing(given_rows: list[tuple[date, int | None]]) -> None:
    rows = [
        row(str(n), day, day + timedelta(days=length) if length else None)
        for n, (day, length) in enumerate(given_rows)
    ]
    made = timeline(rows, ())
    assert made
    for bar in made.bars:
        for piece in bar.pieces:
            assert LEFT <= piece.x <= piece.x + piece.width <= WIDTH - RIGHT + 0.11
        assert bar.y < made.height
    assert 1 <= len(made.years) <= 13
