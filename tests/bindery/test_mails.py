"""The newsletter's mail as text: every link written out, lines that a mail program shows whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bindery import binding
from bindery.outputs import mails

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("Read [this](/a/).", "Read this <https://s.example/a/>."),
        ("[https://x.example/](https://x.example/)", "https://x.example/"),
        ("## Heading\n\nText", "Heading\n-------\n\nText"),
        ("**Bold** and *thin* and 2 * 3 * 4.", "Bold and thin and 2 * 3 * 4."),
        ("![A map](/map.png)", "[Picture: A map]"),
        ("- one\n- two\n  more", "- one\n- two more"),
        ("```\ncode  stays\n```", "code  stays"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |"),
    ],
)
def test_markdown_as_it_is_read_in_a_mail(markdown: str, text: str) -> None:
    assert mails.as_text(markdown, "https://s.example/sub/") == text


def test_long_paragraphs_are_broken_at_72_and_addresses_never() -> None:
    address = "https://s.example/" + "a" * 90
    lines = mails.as_text("word " * 60 + f"[end]({address})", "https://s.example/").splitlines()
    assert all(len(line) <= 72 for line in lines if address not in line)
    assert f"<{address}>" in lines[-1]


def test_the_mail_of_every_issue_holds_each_link_of_its_page(tmp_path: Path) -> None:
    """Of the real content."""
    binding.build(
        ROOT / "content", ROOT / "site", tmp_path, now=datetime(2026, 11, 23, tzinfo=UTC), jobs=1, cache=None
    )
    issues = sorted((tmp_path / "mails").iterdir())
    assert len(issues) >= 6
    for folder in issues:
        body = (ROOT / "content/newsletter" / f"{folder.name}.md").read_text()
        text = (folder / "text.txt").read_text()
        assert len(re.findall(r"\]\([^)]+\)", body)) <= len(re.findall(r"<https?://[^>]+>", text))
        assert "](" not in text and "**" not in text
        assert (folder / "subject.txt").read_text().count("\n") == 1


def test_a_subject_is_the_title_alone(small: Callable[..., Path], tmp_path: Path) -> None:
    binding.build(
        small(), ROOT / "site", tmp_path / "out", now=datetime(2026, 11, 23, tzinfo=UTC), jobs=1, cache=None
    )
    assert (tmp_path / "out/mails/spring/subject.txt").read_text() == "Spring\n"
