"""Signing in, in Debian's Chromium: from the form to one's own page, a download, and out again."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

pytestmark = pytest.mark.browser

_spec = importlib.util.spec_from_file_location("forms", Path(__file__).with_name("test_forms.py"))
assert _spec
assert _spec.loader
forms = importlib.util.module_from_spec(_spec)
sys.modules["forms"] = forms
_spec.loader.exec_module(forms)
# The site, the desk and the person are those of the forms.
site, page = forms.site, forms.page

DANA = "dana.ortiz@example.gov"


@pytest.fixture
def town(site: Any) -> Any:
    """Dana is a contact of both agreements."""
    kept = [replace(one, contacts=(DANA,)) for one in site.desk.store.agreements()]
    site.desk.store.import_agreements(kept, dry_run=False)
    return site


@pytest.fixture
def elsewhere(chromium: Browser) -> Iterator[BrowserContext]:
    """Another browser, without JavaScript."""
    context = chromium.new_context(java_script_enabled=False)
    yield context
    context.close()


def ask(page: Page, town: Any) -> str:
    """Asks for a link; the link as it was mailed."""
    page.goto(town.url + "/support/sign-in/")
    page.fill("#email", DANA)
    page.click("main button[type=submit]")
    page.wait_for_url(town.url + "/api/sign-in")
    expect(page.locator("h1")).to_have_text("Check your e-mail")
    town.desk.outbox.run()
    mails = Path(town.desk.settings.var, "mail").glob("*.eml")
    newest = max(mails, key=lambda path: path.stat().st_mtime_ns)
    text = message_from_bytes(newest.read_bytes(), policy=default).get_content()
    (link,) = re.findall(rf"{re.escape(town.url)}/api/sign-in/\S+", text)
    return str(link)


def signed_in(page: Page, town: Any) -> None:
    page.goto(ask(page, town))
    page.click("main button[type=submit]")
    page.wait_for_url(town.url + "/api/me")


def test_from_the_form_to_a_download_and_out_again(page: Page, town: Any, tmp_path: Path) -> None:
    page.goto(town.url)
    page.click(".top__me")
    page.wait_for_url(re.compile("/support/sign-in/"))
    link = ask(page, town)
    page.goto(link)
    expect(page.locator("main")).to_contain_text(f"You sign in as {DANA}.")
    page.click("main button[type=submit]")
    page.wait_for_url(town.url + "/api/me")
    expect(page.locator("h1")).to_have_text("My page")
    assert forms.focused(page) == "H1"
    expect(page.locator(".panel h3")).to_have_text(["DEMO-1", "DEMO-2"])

    published = json.loads((town.public / "data" / "catalog.json").read_text())
    (file,) = (
        one
        for one in published["products"]["cityworks"]["releases"]["23.12"]["files"]
        if one["name"] == "cityworks-23.12-sample.txt"
    )
    shown = page.locator(".files li", has_text="cityworks-23.12-sample.txt")
    named, got_by = shown.locator("strong").bounding_box(), shown.locator("button").bounding_box()
    assert named and got_by and (named["x"] < got_by["x"] or named["y"] < got_by["y"])  # read, then pressed
    expect(shown.locator(".sum")).to_have_text(file["sha256"])
    shown.locator("button").click()
    page.wait_for_url(re.compile("/api/downloads/"))
    with page.expect_download() as waiting:
        page.click(f"a:has-text('{file['name']}')")
    got = tmp_path / "got"
    waiting.value.save_as(got)
    assert hashlib.sha256(got.read_bytes()).hexdigest() == file["sha256"]

    page.goto(town.url + "/api/me")
    page.click("main .me__who button")
    page.wait_for_url(town.url + "/api/sign-out")
    expect(page.locator("h1")).to_have_text("You are signed out")
    assert town.desk.store.sessions_of(DANA) == ()
    page.goto(town.url + "/api/me")
    page.wait_for_url(re.compile("/support/sign-in/"))


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example/"])
def test_a_link_that_leads_to_another_site_is_no_hindrance_and_leads_nowhere(
    page: Page, town: Any, target: str
) -> None:
    """Promise 21."""
    page.goto(f"{town.url}/support/sign-in/?next={quote(target)}")
    page.fill("#email", "dana")
    page.click("main button[type=submit]")
    expect(page.locator("#error-summary li")).to_have_count(1)
    assert page.input_value("#email") == "dana"
    page.fill("#email", DANA)
    page.click("main button[type=submit]")
    page.wait_for_url(town.url + "/api/sign-in")
    held = town.desk.store.sign_in(DANA)
    assert held.goes_to == ""


def test_a_link_that_leads_to_a_page_of_ours_is_followed(
    page: Page, town: Any, request: pytest.FixtureRequest
) -> None:
    page.goto(f"{town.url}/support/sign-in/?next={quote('/support/download/?version=23.12')}")
    page.fill("#email", DANA)
    page.click("main button[type=submit]")
    page.wait_for_url(town.url + "/api/sign-in")
    # A static page cannot hand it on without script: then one's own page is next.
    held = town.desk.store.sign_in(DANA)
    scripted = request.node.callspec.params["page"] == "with JavaScript"
    assert held.goes_to == ("/support/download/?version=23.12" if scripted else "")


def test_without_a_key_the_forms_answer_who_is_signed_in(page: Page, town: Any) -> None:
    signed_in(page, town)
    page.goto(town.url + "/support/renewal/")
    page.fill("#agreement", "DEMO-1")
    page.click("main button[type=submit]")
    page.wait_for_url(re.compile("/api/renewals/"))
    expect(page.locator("h1")).to_have_text("Agreement DEMO-1")


def test_in_another_browser_the_link_wants_the_code(page: Page, elsewhere: BrowserContext, town: Any) -> None:
    link = ask(page, town)
    code = page.locator(".number").inner_text()
    other = elsewhere.new_page()
    other.goto(link)
    expect(other.locator("main")).not_to_contain_text(DANA)
    other.fill("#code", "222-222")
    other.click("main button[type=submit]")
    expect(other.locator("#error-summary")).to_contain_text("This is not the code. You can try 4 more times.")
    assert forms.focused(other) == "error-summary"
    assert other.input_value("#code") == "222-222"
    other.fill("#code", code.lower())
    other.click("main button[type=submit]")
    other.wait_for_url(town.url + "/api/me")
    # The browser that asked is not signed in: the one where the button was pressed is.
    page.goto(town.url + "/api/me")
    page.wait_for_url(re.compile("/support/sign-in/"))


def test_a_ticket_is_sent_seen_on_my_page_and_closed(page: Page, town: Any) -> None:
    """The walk from sign-in to a closed ticket."""
    signed_in(page, town)
    forms.fill_ticket(page, town, email=DANA, subject="Work orders do not open")
    page.click("main button[type=submit]")
    page.wait_for_url(re.compile("/api/tickets/"))
    (ticket,) = town.desk.store.tickets(["open"])
    town.desk.handling.close(ticket.number, town.desk.act("Robin", "close ticket", ticket.number))
    page.goto(town.url + "/api/me")
    row = page.locator("#tickets ~ ul li", has_text=ticket.number)
    expect(row).to_contain_text("closed")
    row.locator("a").click()
    page.wait_for_url(re.compile("/api/tickets/"))
    expect(page.locator(".number").first).to_have_text(ticket.number)
    expect(page.locator(".facts").first).to_contain_text("Closed")


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_my_page_fits(page: Page, town: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    signed_in(page, town)
    town.desk.my_pages.new_calendar(DANA)
    page.reload()
    assert page.evaluate("document.documentElement.scrollWidth") == width
