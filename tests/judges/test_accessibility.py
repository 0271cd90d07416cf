"""axe finds nothing against WCAG or good practice: each template, both schemes, two widths."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

TEMPLATES = (
    "/",
    "/releases/",
    "/releases/cityworks/23.12/",
    "/life-cycle/",
    "/upgrade/cityworks/",
    "/upgrade/cityworks/15.8.9/",
    "/defects/CW-2388/",
    "/defects/security/",
    "/help/prepare-upgrade/",
    "/policy/support/",
    "/newsletter/2026-autumn/",
    "/papers/work-history-and-renewal/",
    "/papers/authors/sample-author/",
    "/events/user-days-2027/",
    "/feeds/",
    "/search/",
    "/accessibility/",
    "/support/",
    "/nothing-is-here/",
)
TICKET = {
    "name": "Dana Ortiz",
    "email": "dana.ortiz@example.gov",
    "subject": "Work orders do not open",
    "description": "Since this morning.",
}
LOOKS = [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")]


def findings(page: Page, axe: str) -> list[str]:
    """What axe finds on the page: rule, element and its advice."""
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then((result) => result.violations)"
    )
    return [
        f"{page.url}: {one['id']}: {node['html'][:120]}: {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]


def opened(chromium: Browser, width: int, scheme: str) -> Page:
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    return context.new_page()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_template_can_be_used_by_everybody(
    served: Any, chromium: Browser, axe: str, width: int, scheme: str
) -> None:
    page = opened(chromium, width, scheme)
    found = []
    for path in TEMPLATES:
        page.goto(served.url + path)
        found += findings(page, axe)
    page.goto(f"{served.url}/search/?q=work")
    expect(page.get_by_role("status")).to_contain_text("found for")
    found += findings(page, axe)
    page.context.close()
    assert found == []


def send(page: Page, values: dict[str, str]) -> None:
    for name, value in values.items():
        page.fill(f".form [name={name}]", value)
    page.click(".form button[type=submit]")


def ticket(page: Page) -> None:
    page.check("[name=kind][value=defect]")
    page.check("[name=severity][value=P2]")
    send(page, TICKET)
    page.wait_for_url(re.compile("/api/tickets/"))


def download(page: Page, key: str) -> None:
    page.select_option("[name=product]", "cityworks")
    send(page, {"agreement": "DEMO-1", "key": key, "version": "23.12", "file": "cityworks-23.12-sample.txt"})


FORMS: dict[str, Callable[[Page, str], None]] = {
    "ticket": lambda page, _: ticket(page),
    "renewal": lambda page, key: send(page, {"agreement": "DEMO-1", "key": key}),
    "download": download,
}


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_each_form_can_be_used_by_everybody_empty_wrong_and_answered(
    served: Any, chromium: Browser, axe: str, width: int, scheme: str
) -> None:
    page = opened(chromium, width, scheme)
    found = []
    for name, fill in FORMS.items():
        page.goto(f"{served.url}/support/{name}/")
        found += findings(page, axe)
        page.click(".form button[type=submit]")
        expect(page.locator("#error-summary")).to_be_visible()
        found += findings(page, axe)
        page.goto(f"{served.url}/support/{name}/")
        fill(page, served.key)
        expect(page).to_have_url(re.compile("/api/"))
        found += findings(page, axe)
    page.context.close()
    assert found == []
