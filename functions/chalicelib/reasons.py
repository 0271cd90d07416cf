"""Reasons as customers read them. Programs and staff get them whole, with the place in our files."""

from __future__ import annotations

import re
from datetime import date

from chalicelib.hours import day_text

_PLACE = re.compile(r" ?\([^()]*\.md:\d+[^()]*\)|^\S+\.md:\d+ ")
_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


def for_readers(reason: str) -> str:
    """Without the place in our files, and with its days in words: "January 29, 2025"."""
    return _DAY.sub(_in_words, _PLACE.sub("", reason))


def _in_words(found: re.Match[str]) -> str:
    try:
        return day_text(date.fromisoformat(found[0]))
    except ValueError:  # a number that only looks like a day
        return found[0]
