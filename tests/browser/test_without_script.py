"""Every task of the site with JavaScript off, on a telephone and on a desk, from its first link on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, expect

pytestmark = pytest.mark.browser


@pytest.fixture(params=[320, 1280], ids=["telephone", "desk"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    size = {"width": request.param, "height": 800}
    with chromium.new_context(java_script_enabled=False, viewport=size) as context:  # type: ignore[arg-type]
        opened = context.new_page()
        yield opened


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    """An address of the test's own."""
    return re.sub(r"\W+", ".", request.node.name.lower())[-50:].strip(".") + "@example.gov"


def fits(page: Page) -> None:
    page.wait_for_load_state()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), page.url


def pressed(page: Page, words: str) -> int:
    """The status of the answer to a button that sends a form, before that leads anywhere."""
    with page.expect_response(lambda got: got.request.method == "POST") as waiting:
        page.get_by_role("main").get_by_role("button", name=words, exact=True).first.click()
    answer: Response = waiting.value
    answer.finished()
    fits(page)
    return answer.status


def follow(page: Page, words: str) -> None:
    """Follows a link of the page's own whose words begin so."""
    page.get_by_role("main").get_by_role("link", name=re.compile(f"^{re.escape(words)}")).first.click()
    fits(page)


def test_somebody_reads_a_release_its_dates_and_the_way_to_the_newest(house: Any, page: Page) -> None:
    page.goto(house.url)
    follow(page, "Check support dates")
    expect(page.get_by_role("row", name=re.compile("^23 "))).to_contain_text("after the next version")
    expect(page.get_by_text("Whether a last day has passed")).to_have_count(0)
    follow(page, "15.8")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cityworks 15.8")
    follow(page, "Upgrade from 15.8")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Upgrade Cityworks from 15.8 to")
    expect(page.get_by_role("heading", name="Step by step")).to_be_visible()
    expect(page.locator("form.goal")).to_be_hidden()
    told = page.locator(".goal-note")
    expect(told).to_contain_text("Everything here says with which release it comes")
    assert page.locator(".way__step").count() > 1
    assert page.locator(".entries .entry__from").count() > 1


def test_lists_by_year_and_the_search_page_lead_on(house: Any, page: Page) -> None:
    page.goto(f"{house.url}/releases/cityworks/")
    assert len(page.get_by_role("heading", level=2).all_inner_texts()) > 2
    page.goto(f"{house.url}/newsletter/")
    page.get_by_role("searchbox").fill("pipes")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{house.url}/search/?q=pipes")
    expect(page.get_by_text("Searching needs JavaScript")).to_be_visible()
    expect(page.locator("#search-form")).to_be_hidden()
    follow(page, "Releases")
    expect(page).to_have_url(f"{house.url}/releases/")


def test_a_ticket_goes_from_a_mistake_to_its_end(
    house: Any, page: Page, address: str, tmp_path: Path
) -> None:
    page.goto(house.url)
    follow(page, "Get help")
    expect(page.get_by_role("heading", level=1)).to_have_text("Open a ticket")
    page.get_by_label("Your name").fill("Dana Ortiz")
    page.get_by_label("E-mail address").fill("dana@example")
    page.get_by_label("Something does not work as it was designed").check()
    page.get_by_label("Product").select_option("cityworks")
    page.get_by_role("combobox", name="Version").fill("23.12")
    page.get_by_label("Summary").fill("The <map> & is white")
    page.get_by_label("Details").fill("Since this morning.\n\n  Twice.")
    assert pressed(page, "Send the ticket") == 422
    assert page.title().startswith("Error: ")
    expect(page.locator("#error-summary")).to_be_focused()
    expect(page.locator("#error-summary a")).to_have_count(2)
    page.locator("#error-summary a").first.click()
    expect(page.get_by_label("E-mail address")).to_have_value("dana@example")
    expect(page.get_by_label("Details")).to_have_value("Since this morning.\n\n  Twice.")
    expect(page.get_by_label("Product")).to_have_value("cityworks")
    page.get_by_label("E-mail address").fill(address)
    page.locator("#severity-P2").check()
    assert pressed(page, "Send the ticket") == 303
    expect(page).to_have_url(re.compile(f"{house.url}/api/tickets/[^/]+$"))
    expect(page.locator("h1")).to_be_focused()
    number = page.locator(".number").inner_text()
    assert house.mailed_link(address, "/api/tickets/") == page.url

    # An empty message changes nothing else of the page: the file's form still knows where to send it.
    assert pressed(page, "Send the message") == 422
    expect(page.locator("#error-summary")).to_be_focused()
    log = tmp_path / "error log.txt"
    log.write_bytes(b"bytes of the log")
    page.get_by_label("Add a file").set_input_files(log)
    assert pressed(page, "Upload the file") == 303
    expect(page.locator("#files ~ ul").first).to_have_text(re.compile(r"error log\.txt .*, stored"))
    page.get_by_label("Add a message").fill("It is the portal.")
    assert pressed(page, "Send the message") == 303
    expect(page.locator(".messages > li")).to_have_count(2)
    assert pressed(page, "This is solved") == 303
    expect(page.locator(".ticket-state")).to_have_text("Closed")
    (ticket,) = (one for one in house.desk.store.tickets(["closed"]) if one.number == number)
    assert [(kept.name, kept.state) for kept in ticket.attachments] == [("error log.txt", "stored")]


def test_a_renewal_is_looked_up_and_a_release_is_downloaded(house: Any, page: Page) -> None:
    page.goto(f"{house.url}/support/")
    follow(page, "Check a renewal")
    page.get_by_label("Agreement number").fill("DEMO – 1")
    page.get_by_label("Key").fill(house.key)
    assert pressed(page, "Look it up") == 303
    expect(page.get_by_role("heading", level=1)).to_have_text("Agreement DEMO-1")
    expect(page.locator("time[datetime='2027-02-28']").first).to_be_visible()
    follow(page, "Download a release")
    page.get_by_label("Agreement number").fill("DEMO-1")
    page.get_by_label("Key").fill(house.key)
    page.get_by_label("Product").select_option("cityworks")
    page.get_by_label("Version").fill("23.12")
    page.get_by_label("File").fill("cityworks-23.12-sample.txt")
    assert pressed(page, "Get the link") == 303
    with page.expect_download() as waiting:
        page.get_by_role("link", name="cityworks-23.12-sample.txt").click()
    catalog = json.loads((house.public / "data" / "catalog.json").read_text())
    files = catalog["products"]["cityworks"]["releases"]["23.12"]["files"]
    (wanted,) = (one["sha256"] for one in files if one["name"] == "cityworks-23.12-sample.txt")
    assert hashlib.sha256(Path(waiting.value.path()).read_bytes()).hexdigest() == wanted
    expect(page.locator(".sum, code").first).to_contain_text(wanted[:8])


def test_somebody_subscribes_confirms_leaves_and_comes_back(house: Any, page: Page, address: str) -> None:
    page.goto(f"{house.url}/support/subscribe/")
    page.get_by_label("E-mail address").fill(address)
    assert pressed(page, "Subscribe") == 422
    page.get_by_label("The newsletter").check()
    assert pressed(page, "Subscribe") == 303
    page.goto(house.mailed_link(address, "/api/subscriptions/confirm/"))
    assert house.desk.subscriptions.of(address).state == "unconfirmed"
    assert pressed(page, "Confirm") == 303
    assert house.desk.subscriptions.of(address).state == "confirmed"
    follow(page, "Change what you get, or unsubscribe")
    page.get_by_label("The newsletter").uncheck()
    assert pressed(page, "Save") == 422
    assert pressed(page, "Unsubscribe from everything") == 303
    assert house.desk.subscriptions.of(address).state == "left"
    assert pressed(page, "Subscribe me again") == 303
    assert house.desk.subscriptions.of(address).state == "confirmed"


def test_somebody_signs_in_by_a_link_and_out_again(house: Any, page: Page, address: str) -> None:
    kept = house.desk.store.agreement("DEMO-1")
    changed = {name: getattr(kept, name) for name in kept.__dataclass_fields__}
    changed["contacts"] = (*kept.contacts, address)
    house.desk.store.import_agreements([type(kept)(**changed)], dry_run=False)
    page.goto(f"{house.url}/support/sign-in/")
    page.get_by_label("E-mail address").fill(address)
    assert pressed(page, "Send me a link") == 303
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your e-mail")
    page.goto(house.mailed_link(address, "/api/sign-in/"))
    assert house.desk.store.sessions_of(address) == ()
    assert pressed(page, "Sign in") == 303
    expect(page).to_have_url(f"{house.url}/api/me")
    expect(page.locator(".panel h3")).to_have_text(["DEMO-1"])
    assert pressed(page, "Sign out") == 303
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    assert house.desk.store.sessions_of(address) == ()
