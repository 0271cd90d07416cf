"""Reasons on customers' pages: no place in our files, days in words; programs get them whole."""

from __future__ import annotations

import pytest

from chalicelib.reasons import for_readers


@pytest.mark.parametrize(
    ("reason", "read"),
    [
        (
            "A site license is supported without charge for 1 year from its start (policy/support.md:8): "
            "2026-03-01 to 2027-02-28.",
            "A site license is supported without charge for 1 year from its start: "
            "March 1, 2026 to February 28, 2027.",
        ),
        (
            "releases/cityworks/23.10.md:3 It was released on 2025-01-29.",
            "It was released on January 29, 2025.",
        ),
        ("Order 2026-13-45 is no day.", "Order 2026-13-45 is no day."),
        ("Nothing to change (really).", "Nothing to change (really)."),
    ],
)
def test_a_reason_for_readers(reason: str, read: str) -> None:
    assert for_readers(reason) == read
