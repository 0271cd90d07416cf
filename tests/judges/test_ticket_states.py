"""The page of a ticket in every state of its life: axe and the Nu HTML checker find nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from chalicelib.tickets import TicketDraft

pytestmark = pytest.mark.browser

_spec = importlib.util.spec_from_file_location("html_judge", Path(__file__).with_name("test_html.py"))
assert _spec
assert _spec.loader
judge = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(judge)

SESSION = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
STEPS: dict[str, Callable[[Any, str, Any], Any]] = {
    "open": lambda desk, number, act: None,
    "asked": lambda desk, number, act: desk.handling.reply(number, "Which browser?", act, wait=True),
    "answered": lambda desk, number, act: desk.handling.reply(number, "Words", act),
    "linked": lambda desk, number, act: desk.handling.link(number, "CW-2388", act),
    "planned": lambda desk, number, act: desk.handling.session(number, SESSION, 90, act),
    "cancelled": lambda desk, number, act: desk.handling.cancel_session(number, act),
    "closed": lambda desk, number, act: desk.handling.close(number, act),
}


@pytest.fixture
def pages(served: Any) -> dict[str, str]:
    """The address of a ticket that came as far as each step."""
    desk, found = served.desk, {}
    names = list(STEPS)
    for count, name in enumerate(names, 1):
        draft = TicketDraft(
            name="Dana",
            email="dana.ortiz@example.gov",
            product="cityworks",
            version="23.12",
            kind="session",
            severity="P2",
            subject=f"{name} <b> & co",
            description="Since </textarea> today.",
            session_date="2026-11-24",
            session_time="10:00",
        )
        receipt = desk.tickets.open(draft)
        for step in names[:count]:
            STEPS[step](desk, receipt.number, desk.act("Robin", step, receipt.number))
        found[name] = receipt.url
    return found


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")]
)
def test_axe_finds_nothing_in_any_state(
    pages: dict[str, str], chromium: Browser, axe: str, width: int, scheme: str
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    found = []
    for state, url in pages.items():
        page.goto(url)
        page.evaluate(axe)
        told: list[dict[str, Any]] = page.evaluate("axe.run(document).then((result) => result.violations)")
        found += [f"{state}: {one['id']}: {node['html'][:100]}" for one in told for node in one["nodes"]]
    context.close()
    assert found == []


def test_the_standard_knows_the_html_of_every_state(pages: dict[str, str], nu: Path, tmp_path: Path) -> None:
    kept = []
    for state, url in pages.items():
        kept.append(tmp_path / f"{state}.html")
        kept[-1].write_bytes(judge.answer(url, None))
    assert judge.errors(nu, *kept) == []
