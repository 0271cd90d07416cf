"""Days as readers meet them."""

from __future__ import annotations

from datetime import date

import pytest

from bindery.outputs.pages import words


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-05-12", "2026-05-12", '<time datetime="2026-05-12">May 12, 2026</time>'),
        (
            "2026-05-12",
            "2026-05-14",
            '<time datetime="2026-05-12">May 12</time> to <time datetime="2026-05-14">May 14, 2026</time>',
        ),
        (
            "2026-12-30",
            "2027-01-02",
            '<time datetime="2026-12-30">December 30, 2026</time> to '
            '<time datetime="2027-01-02">January 2, 2027</time>',
        ),
        ("2016-12-01", "2016-12-31", '<time datetime="2016-12">December 2016</time>'),
        ("2024-02-01", "2024-02-29", '<time datetime="2024-02">February 2024</time>'),
        ("2010-01-01", "2010-12-31", '<time datetime="2010">2010</time>'),
        (
            "2025-02-01",
            "2025-02-27",
            '<time datetime="2025-02-01">February 1</time> to '
            '<time datetime="2025-02-27">February 27, 2025</time>',
        ),
    ],
)
def test_several_days_are_one_phrase(start: str, end: str, said: str) -> None:
    assert words.span(date.fromisoformat(start), date.fromisoformat(end)) == said
