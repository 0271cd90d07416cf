"""What the site promises is proved: every promise of the page has a test that names it, and its numbers are
those that the desk keeps to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bindery.publish import ASSETS_STAY
from chalicelib.lookups import LINK_TIME as DOWNLOAD_TIME
from chalicelib.ports import CONTENT_KEPT, KEY_KEPT, MAIL_CAPS
from chalicelib.ports.accounts import IDLE, LONGEST
from chalicelib.ports.accounts import LINK_TIME as SIGN_IN_TIME
from chalicelib.subscriptions import CONFIRMATIONS_APART, CONFIRMATIONS_AT_MOST

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "content" / "policy" / "promises.md").read_text(encoding="utf-8")
NAMED = re.compile(r"\b[Pp]romises? ((?:\d+(?:, and | and |, )?)+)")
TEXTS = {
    int(found[1]): " ".join(found[2].split())
    for found in re.finditer(r"^\*\*(\d+)\. (.*?)(?=^\*\*\d|^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
}


def names(path: Path) -> Iterator[int]:
    """The promises that the tests of a file name, in what they say they show."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.Module):
            for found in NAMED.finditer(ast.get_docstring(node) or ""):
                yield from map(int, re.findall(r"\d+", found[1]))


def test_there_are_thirty_promises_in_their_order() -> None:
    assert list(TEXTS) == list(range(1, 31))


def test_every_promise_has_a_test_that_names_it() -> None:
    named = {number for path in sorted((ROOT / "tests").rglob("test_*.py")) for number in names(path)}
    assert sorted(set(TEXTS) - named) == []
    assert sorted(named - set(TEXTS)) == []


def words(span: timedelta) -> str:
    if span >= timedelta(days=2):
        return f"{span.days} days"
    hours = span // timedelta(hours=1)
    return f"{hours} hours" if hours else f"{span // timedelta(minutes=1)} minutes"


@pytest.mark.parametrize(
    ("promise", "told"),
    [
        (2, words(KEY_KEPT)),
        (2, words(CONTENT_KEPT)),
        (6, f"at most {dict(MAIL_CAPS)[timedelta(hours=1)]} an hour"),
        (6, f"and {dict(MAIL_CAPS)[timedelta(days=1)]} a day"),
        (10, words(DOWNLOAD_TIME)),
        (13, f"{CONFIRMATIONS_AT_MOST} in all"),
        (17, words(SIGN_IN_TIME)),
        (19, f"after {words(IDLE)} in which"),
        (19, f"after {words(LONGEST)} in any case"),
        (23, words(ASSETS_STAY)),
    ],
)
def test_the_numbers_of_a_promise_are_those_that_are_kept(promise: int, told: str) -> None:
    assert told in TEXTS[promise]


def test_one_confirmation_a_day() -> None:
    assert timedelta(days=1) == CONFIRMATIONS_APART
    assert "at most one mail a day" in TEXTS[13]
