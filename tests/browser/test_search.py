"""Searching in Debian's Chromium, and what helps beside the ticket form, on the real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(house: Any) -> str:
    return str(house.url)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context() as context:
        opened = context.new_page()
        said: list[str] = []
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        yield opened
        assert said == []  # no violation of the policy, no fault


def test_from_the_home_page_to_the_words_on_the_page_that_was_found(site: str, page: Page) -> None:
    page.goto(f"{site}/")
    page.get_by_label("Search releases, help and known issues").fill("time zone export")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site}/search/?q=time+zone+export")
    expect(page.get_by_role("status")).to_contain_text("found for “time zone export”")
    assert page.title().startswith("Search: time zone export")
    issues = page.get_by_role("region", name="Known issues")
    issues.get_by_role("link", name="Export of work orders gives times without time zone").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Export of work orders gives times without time zone"
    )
    marked = "[...CSS.highlights.get('found')].map((range) => range.toString().toLowerCase())"
    assert {"time", "zone", "export"} <= set(page.evaluate(marked))
    page.go_back()
    expect(page.get_by_role("status")).to_contain_text("found for “time zone export”")


def test_results_are_narrowed_by_kind_product_and_version(site: str, page: Page) -> None:
    page.goto(f"{site}/search/?q=work")
    expect(page.get_by_role("region", name="Papers")).to_be_visible()
    page.get_by_label("Kind of page").select_option("Releases")
    expect(page.get_by_role("region", name="Papers")).to_have_count(0)
    page.get_by_label("Version").select_option("23.5")
    expect(page).to_have_url(f"{site}/search/?q=work&kind=Releases&version=23.5")
    expect(page.locator("#found a")).to_have_text(["Cityworks 23.5"])
    page.reload()
    expect(page.locator("#found a")).to_have_text(["Cityworks 23.5"])


def test_by_keyboard_alone(site: str, page: Page) -> None:
    page.goto(f"{site}/life-cycle/")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "q":
            break
    page.keyboard.type("upgrade")
    page.keyboard.press("Enter")
    more = page.get_by_role("button", name="More from Releases")
    expect(more).to_be_visible()
    for excerpt in page.locator(".found__list .list__text").all_inner_texts():
        assert re.match(r"[A-Z0-9]|… ", excerpt), excerpt
        assert re.search(r"[.!?:]$| …$", excerpt), excerpt
    before = page.get_by_role("region", name="Releases").get_by_role("link").count()
    more.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Releases").get_by_role("link").nth(before)).to_be_focused()


def test_what_was_typed_is_text_and_nothing_found_says_where_to_look(site: str, page: Page) -> None:
    words = "<img src=x onerror=alert(1)> zzqq"
    page.goto(f"{site}/search/")
    page.get_by_label("What are you looking for?").fill(words)
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(f"found for “{words}”")
    assert page.locator("#found img").count() == 0
    page.get_by_label("What are you looking for?").fill("zzqqzz")
    expect(page.get_by_role("status")).to_contain_text("Nothing found for “zzqqzz”")
    expect(page.locator("#search-nothing")).to_contain_text("Check the spelling, use fewer or other words")
    expect(page.locator("#search-nothing a")).to_have_attribute("href", "/support/ticket/")
    expect(page.get_by_role("link", name="Every version and update")).to_be_visible()


def test_a_first_search_is_small_and_asks_nobody_else(site: str, page: Page) -> None:
    answers = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{site}/search/?q=work")
    expect(page.get_by_role("status")).to_contain_text("found for “work”")
    page.wait_for_load_state("networkidle")
    assert {answer.url.split("/")[2] for answer in answers} == {site.split("/")[2]}
    loaded = sum(answer.request.sizes()["responseBodySize"] for answer in answers)
    assert 80_000 < loaded < 200_000 + 45_000  # the styles that every page has are among them


def test_without_javascript_the_lists_lead_on(site: str, chromium: Browser) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{site}/")
        page.get_by_label("Search releases, help and known issues").fill("pipes")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site}/search/?q=pipes")
        expect(page.get_by_text("Searching needs JavaScript")).to_be_visible()
        expect(page.locator("#search-form")).to_be_hidden()
        page.get_by_role("link", name="What is wrong, what helps").click()
        expect(page).to_have_url(f"{site}/defects/")


# Beside the ticket form


def test_the_version_that_is_named_is_told_beside_the_form(site: str, page: Page) -> None:
    page.goto(f"{site}/support/ticket/")
    known = page.locator("[data-known]")
    expect(known).to_be_hidden()
    page.select_option("#product", "cityworks")
    page.fill("#version", "23.5")
    page.keyboard.press("Tab")
    expect(known).to_be_visible()
    expect(known.get_by_role("link", name="Cityworks 23.5", exact=True)).to_be_visible()
    expect(known).to_contain_text("12 months after the next version is released")
    expect(known.get_by_role("link", name=re.compile("CVE-2025-0994"))).to_have_attribute(
        "href", f"{site}/defects/CVE-2025-0994/"
    )
    page.select_option("#product", "")
    expect(known).to_be_hidden()


def test_pages_that_may_help_are_offered_while_the_summary_is_typed(site: str, page: Page) -> None:
    page.goto(f"{site}/support/ticket/")
    page.locator("#subject").press_sequentially("Export of work orders has a wrong time zone")
    helps = page.locator("[data-similar] a")
    expect(helps.first).to_have_text(
        "Export of work orders gives times without time zone (opens in a new tab)"
    )
    assert 1 <= helps.count() <= 3
    page.fill("#subject", "zzq")
    expect(page.locator("[data-similar]")).to_be_hidden()


def test_a_mistake_on_a_page_is_reported_with_the_page_filled_in(site: str, page: Page) -> None:
    page.goto(f"{site}/releases/cityworks/23.5/")
    page.get_by_role("link", name="Report a mistake on this page").click()
    expect(page.locator("#subject")).to_have_value("Mistake on the page /releases/cityworks/23.5/")
    expect(page.locator("#description")).to_have_value(f"{site}/releases/cityworks/23.5/\n\n")
    expect(page.locator("#severity-P4")).to_be_checked()
    page.goto(f"{site}/support/ticket/?page=//evil.example/")
    assert page.input_value("#description") == ""


def test_files_are_uploaded_with_their_progress_and_a_large_one_is_said_before(
    site: str, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{site}/support/ticket/")
    for name, value in (
        ("name", "Dana"),
        ("email", "dana@example.gov"),
        ("subject", "s"),
        ("description", "d"),
    ):
        page.fill(f"#{name}", value)
    page.check("#kind-defect")
    page.check("#severity-P2")
    page.click(".form button[type=submit]")
    page.wait_for_url(re.compile("/api/tickets/"))
    for name, size in (("one.txt", 3000), ("two.bin", 2_000_000), ("large.bin", 20 * 1024**2 + 1)):
        (tmp_path / name).write_bytes(b"x" * size)
    page.set_input_files("#file", [tmp_path / "one.txt", tmp_path / "large.bin"])
    page.get_by_role("button", name="Upload the file").click()
    expect(page.locator(".uploads")).to_contain_text("large.bin (20.0 MB) is too large")
    expect(page.locator(".uploads")).to_contain_text("one.txt (3 KB) is stored.")
    page.set_input_files("#file", [tmp_path / "two.bin"])
    page.get_by_role("button", name="Upload the file").click()
    for name in ("one.txt", "two.bin"):
        expect(page.locator("#files + ul")).to_contain_text(re.compile(f"{name} .*, stored"))


def test_a_notice_is_shown_on_every_page_and_none_where_there_is_none(
    site: str, page: Page, tmp_path: Path
) -> None:
    page.route(
        "**/data/notice.json",
        lambda route: route.fulfill(json={"format": 1, "notice": "Phones are down <b>until noon</b>."}),
    )
    page.goto(f"{site}/help/")
    expect(page.locator(".notice")).to_have_text("Phones are down <b>until noon</b>.")
    page.unroute("**/data/notice.json")
    page.goto(f"{site}/help/")
    page.wait_for_load_state("networkidle")
    expect(page.locator(".notice")).to_have_count(0)
