"""The forms in Debian's Chromium, with JavaScript off and on: the site, the desk and a person."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from chalicelib.agreements import Agreement, Period
from chalicelib.signing import agreement_key, fingerprint
from chalicelib.wiring import Desk

pytestmark = pytest.mark.browser

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
Serve = Callable[[Path, Path], AbstractContextManager[tuple[str, Desk]]]
TYPED = {
    "name": "Dana Ortiz",
    "email": "dana.ortiz@example.gov",
    "phone": "+1 801 555 0100",
    "organization": "City of Exampleville",
    "version": "23.12",
    "subject": 'Work orders "do not" open <since> the update & restart',
    "description": "First line\nSecond line </textarea><script>alert(1)</script>",
}


@dataclass(frozen=True)
class Site:
    url: str
    desk: Desk
    public: Path
    keys: dict[str, str]


@pytest.fixture
def site(public: Path, serve: Serve, tmp_path: Path) -> Iterator[Site]:
    """The built site and a desk of its own, served together."""
    with serve(public, tmp_path) as (url, desk):
        yield Site(url, desk, public, agreements(desk))


def agreements(desk: Desk) -> dict[str, str]:
    common = {
        "stage": "accepted",
        "client_manager": "",
        "product": "cityworks",
        "licence": "site",
        "seats": None,
    }
    current = Agreement(
        agreement="DEMO-1", customer="City of Exampleville", starts=date(2026, 3, 1), **common
    )
    lapsed = Agreement(
        agreement="DEMO-2",
        customer="Town of Sampleton",
        starts=date(2023, 1, 1),
        paid=(Period(first=date(2024, 1, 1), last=date(2024, 12, 31)),),
        **common,
    )
    desk.store.import_agreements([current, lapsed], dry_run=False)
    keys = {}
    for number in ("DEMO-1", "DEMO-2"):
        keys[number] = agreement_key()
        desk.store.set_key(number, fingerprint(keys[number]), NOW)
    return keys


@pytest.fixture(params=["with JavaScript", "without JavaScript"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": 1000, "height": 900}, java_script_enabled=request.param == "with JavaScript"
    )
    told: list[str] = []
    opened = context.new_page()
    # Chromium names a refused form, and an address that leads to a place in its page; all else is a fault.
    usual = ("Failed to load resource", "Autofocus processing was blocked because a document's URL")
    opened.on("console", lambda said: None if said.text.startswith(usual) else told.append(said.text))
    yield opened
    context.close()
    assert told == []


def fill_ticket(page: Page, site: Site, **changes: str) -> None:
    page.goto(site.url + "/support/ticket/")
    for name, value in {**TYPED, **changes}.items():
        page.fill(f"#{name}", value)
    page.check("[name=kind][value=defect]")
    page.check("[name=severity][value=P2]")
    page.select_option("[name=product]", "cityworks")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.tagName"))


def test_a_ticket_is_sent_and_its_page_tells_number_and_reply_by(page: Page, site: Site) -> None:
    fill_ticket(page, site)
    page.click("button[type=submit]")
    page.wait_for_url(re.compile("/api/tickets/"))
    (ticket,) = site.desk.store.tickets(["open"])
    expect(page.locator("h1")).to_have_text("We have your ticket")
    expect(page.locator(".number")).to_have_text(ticket.number)
    assert focused(page) == "H1"
    assert page.locator("time[datetime='2026-11-23T14:00:00-07:00']").count() >= 1
    expect(page.locator("ol.messages")).to_contain_text("Second line </textarea><script>alert(1)</script>")
    address = page.url
    page.reload()
    assert page.url == address
    assert len(site.desk.store.tickets(["open"])) == 1
    assert {mail.mail.template for mail in site.desk.store.mails(["waiting"])} == {
        "visitor_receipt",
        "staff_ticket",
    }


def test_wrong_input_comes_back_with_the_answers_and_the_summary_has_the_focus(
    page: Page, site: Site
) -> None:
    fill_ticket(page, site, email="nobody", name="")
    page.click("button[type=submit]")
    expect(page.locator("#error-summary")).to_be_visible()
    assert page.title().startswith("Error: ")
    assert focused(page) == "error-summary"
    links = page.locator("#error-summary a")
    assert links.all_text_contents() == [
        "Enter your name.",
        "Enter your e-mail address in full, such as dana.ortiz@example.gov.",
    ]
    for name, value in TYPED.items():
        wanted = {"name": "", "email": "nobody"}.get(name, value)
        assert page.input_value(f"#{name}") == wanted
    assert page.is_checked("[name=kind][value=defect]")
    assert page.is_checked("[name=severity][value=P2]")
    assert page.input_value("[name=product]") == "cityworks"
    expect(page.locator("#email-error")).to_have_text(links.all_text_contents()[1])
    assert page.get_attribute("#email", "aria-invalid") == "true"
    links.nth(1).click()
    expect(page.locator("#email")).to_be_focused()
    page.fill("#email", TYPED["email"])
    page.fill("#name", TYPED["name"])
    page.click("button[type=submit]")
    page.wait_for_url(re.compile("/api/tickets/"))
    assert len(site.desk.store.tickets(["open"])) == 1


def test_a_form_with_nothing_in_it_fits_a_telephone_with_all_its_errors(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(site.url + "/support/ticket/")
    page.click("button[type=submit]")
    # Name, e-mail, what it is about, how bad, summary, details: an organization is not asked for.
    expect(page.locator("#error-summary a")).to_have_count(6)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_a_double_click_makes_one_ticket(page: Page, site: Site) -> None:
    fill_ticket(page, site)
    page.dblclick("button[type=submit]")
    page.wait_for_url(re.compile("/api/tickets/"))
    expect(page.locator("h1")).to_have_text("We have your ticket")
    assert len(site.desk.store.tickets(["open"])) == 1


def test_back_and_forward_make_no_second_ticket(page: Page, site: Site) -> None:
    fill_ticket(page, site)
    page.click("button[type=submit]")
    page.wait_for_url(re.compile("/api/tickets/"))
    first = page.url
    page.go_back()
    expect(page.locator("#subject")).to_be_visible()
    page.go_forward()
    expect(page.locator("h1")).to_have_text("We have your ticket")
    assert page.url == first
    assert len(site.desk.store.tickets(["open"])) == 1


def test_a_message_and_a_file_are_added_on_the_page_of_the_ticket(
    page: Page, site: Site, tmp_path: Path
) -> None:
    fill_ticket(page, site)
    page.click("button[type=submit]")
    page.wait_for_url(re.compile("/api/tickets/"))
    page.fill("#text", "It also happens\nafter a restart.")
    page.click("text=Send the message")
    expect(page.locator("ol.messages > li")).to_have_count(2)
    expect(page.locator("ol.messages")).to_contain_text("after a restart.")
    log = tmp_path / "error log.txt"
    log.write_bytes(b"bytes")
    page.set_input_files("input[type=file]", log)
    page.click("text=Upload the file")
    expect(page.locator("#files ~ ul").first).to_contain_text("error log.txt")
    (ticket,) = site.desk.store.tickets(["open"])
    assert [(kept.name, kept.state) for kept in ticket.attachments] == [("error log.txt", "stored")]


def test_a_renewal_is_looked_up(page: Page, site: Site) -> None:
    page.goto(site.url + "/support/renewal/")
    page.fill("#agreement", "DEMO 1".replace(" ", "\u2013"))
    page.fill("#key", site.keys["DEMO-1"])
    page.click("button[type=submit]")
    page.wait_for_url(re.compile("/api/renewals/"))
    expect(page.locator("h1")).to_have_text("Agreement DEMO-1")
    expect(page.locator("time[datetime='2027-02-28']")).to_be_visible()
    assert focused(page) == "H1"
    assert site.keys["DEMO-1"] not in page.url


def test_a_wrong_key_and_an_unknown_agreement_look_alike(page: Page, site: Site) -> None:
    shown = []
    for agreement in ("DEMO-1", "DEMO-9"):
        page.goto(site.url + "/support/renewal/")
        page.fill("#agreement", agreement)
        page.fill("#key", "WRONG")
        page.click("button[type=submit]")
        expect(page.locator("h1")).to_have_text("Not found")
        shown.append(page.content())
    assert shown[0] == shown[1]


def ask_download(page: Page, site: Site, agreement: str, version: str, file: str) -> None:
    page.goto(site.url + "/support/download/")
    page.fill("#agreement", agreement)
    page.fill("#key", site.keys[agreement])
    page.select_option("#product", "cityworks")
    page.fill("#version", version)
    page.fill("#file", file)
    page.click("button[type=submit]")


def test_a_download_delivers_the_bytes_with_the_published_checksum(
    page: Page, site: Site, tmp_path: Path
) -> None:
    name = "cityworks-23.12-sample.txt"
    ask_download(page, site, "DEMO-1", "23.12", name)
    page.wait_for_url(re.compile("/api/downloads/"))
    published = json.loads((site.public / "data" / "catalog.json").read_text())
    (file,) = (
        file
        for file in published["products"]["cityworks"]["releases"]["23.12"]["files"]
        if file["name"] == name
    )
    expect(page.locator(".sum")).to_have_text(file["sha256"])
    with page.expect_download() as waiting:
        page.click(f"a:has-text('{name}')")
    got = tmp_path / "got"
    waiting.value.save_as(got)
    assert waiting.value.suggested_filename == name
    assert hashlib.sha256(got.read_bytes()).hexdigest() == file["sha256"]


def test_who_has_to_renew_is_told_so_and_how(page: Page, site: Site) -> None:
    for number, told in (
        ("DEMO-2", "Your agreement has to be renewed. Call"),
        ("DEMO-1", "To renew or change it"),
    ):
        page.goto(site.url + "/support/renewal/")
        page.fill("#agreement", number)
        page.fill("#key", site.keys[number])
        page.get_by_role("button", name="Look it up").click()
        call = page.locator(".call")
        expect(call).to_contain_text(told)
        expect(call).to_contain_text(f"801-555-0142 and name {number}.")
        expect(call.get_by_role("link", name="801-555-0142")).to_have_attribute("href", "tel:801-555-0142")
        expect(page.get_by_text("Days left")).to_have_count(0 if number == "DEMO-2" else 1)


def test_who_leaves_the_key_empty_is_told_at_the_field(page: Page, site: Site) -> None:
    page.goto(site.url + "/support/renewal/")
    page.fill("#agreement", "DEMO-1")
    page.get_by_role("button", name="Look it up").click()
    told = "Enter the key of your agreement, or sign in and leave it empty."
    expect(page.locator("#key-error")).to_have_text(told)
    expect(page.locator("#agreement")).to_have_value("DEMO-1")


def test_a_lapsed_agreement_is_refused_with_the_rule_and_the_dates(page: Page, site: Site) -> None:
    ask_download(page, site, "DEMO-2", "23.12", "cityworks-23.12-sample.txt")
    expect(page.locator("h1")).to_have_text("Your agreement does not include this release")
    shown = page.locator("main").inner_text()
    assert "November 18, 2025" in shown
    assert "December 31, 2024" in shown
    assert ".md:" not in shown  # where the rule stands is for programs and staff


def test_somebody_subscribes_confirms_chooses_leaves_and_comes_back(page: Page, site: Site) -> None:
    def press(words: str) -> None:
        page.get_by_role("button", name=words).click()

    page.goto(site.url + "/support/subscribe/")
    page.fill("#email", "dana.ortiz@example.gov")
    press("Subscribe")
    expect(page.locator("#topics-error")).to_have_text("Choose what you want to receive.")
    expect(page.locator("#email")).to_have_value("dana.ortiz@example.gov")
    page.get_by_label("The newsletter").check()
    page.get_by_label("Releases of Cityworks").check()
    press("Subscribe")
    page.wait_for_url(re.compile("/api/subscriptions/sent$"))
    expect(page.locator("h1")).to_have_text("Check your e-mail")
    held = site.desk.store.subscriber("dana.ortiz@example.gov")
    assert held is not None
    page.goto(site.desk.subscriptions.confirm_url(held))
    expect(page.locator(".answer li")).to_have_text(["The newsletter", "Releases of Cityworks"])
    press("Confirm")
    expect(page.locator("h1")).to_have_text("You are subscribed")
    page.get_by_role("link", name="Change what you get, or unsubscribe").click()
    expect(page.get_by_label("The newsletter")).to_be_checked()
    expect(page.get_by_label("Security")).not_to_be_checked()
    page.get_by_label("Security").check()
    press("Save")
    expect(page.locator(".lead")).to_contain_text("The newsletter, Security, Releases of Cityworks")
    press("Unsubscribe from everything")
    expect(page.locator("h1")).to_have_text("You are unsubscribed")
    assert site.desk.subscriptions.of("dana.ortiz@example.gov").state == "left"  # type: ignore[union-attr]
    press("Subscribe me again")
    expect(page.locator("h1")).to_have_text("Your subscription")
    assert site.desk.subscriptions.of("dana.ortiz@example.gov").topics == (  # type: ignore[union-attr]
        "newsletter",
        "security",
        "releases/cityworks",
    )
