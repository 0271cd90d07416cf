"""Everything by keyboard alone: no mouse, and no focus that a test gives by itself."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

_spec = importlib.util.spec_from_file_location("forms", Path(__file__).with_name("test_forms.py"))
assert _spec
assert _spec.loader
forms = importlib.util.module_from_spec(_spec)
sys.modules["forms"] = forms
_spec.loader.exec_module(forms)
site = forms.site

WALK = (Path(__file__).parent / "focus.js").read_text(encoding="utf-8")
PAGES = (
    "/",
    "/releases/",
    "/releases/cityworks/23.12/",
    "/life-cycle/",
    "/upgrade/cityworks/15.8/",
    "/defects/CVE-2025-0994/",
    "/papers/work-history-and-renewal/",
    "/policy/support/",
    "/search/",
    "/support/",
    "/support/ticket/",
    "/support/subscribe/",
    "/404.html",
)
SCROLLING = (  # where tables and code are wider than a phone
    "/help/use-the-api/",
    "/help/keep-agreements/",
    "/help/keep-the-support-policy/",
    "/help/send-the-newsletter/",
)
BACK = ("/", "/life-cycle/", "/support/ticket/")  # where the way back is walked too
MOST = 250  # stops of a page


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    yield opened
    context.close()


def tab_to(page: Page, words: str) -> None:
    """Presses Tab until what has the focus is called that."""
    for _ in range(MOST):
        page.keyboard.press("Tab")
        if re.search(words, str(page.evaluate("focusWalk.name()"))):
            return
    raise AssertionError(f"Tab never came to {words}")


def visit(page: Page, url: str) -> None:
    page.goto(url)
    page.evaluate(WALK)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_focus_goes_through_each_page_in_order_and_is_always_seen(
    site: Any, chromium: Browser, width: int, scheme: Any
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    wrong: list[str] = []
    for path in PAGES:
        visit(page, site.url + path)
        stops = 0
        while stops < MOST:
            page.keyboard.press("Tab")
            if page.evaluate("focusWalk.left()"):
                break
            stops += 1
            wrong += [f"{path}: {fault}" for fault in page.evaluate("focusWalk.faults()")]
        missed = page.evaluate("focusWalk.missed()")
        wrong += [f"{path}: Tab passes over {one}" for one in missed]
        assert 10 < stops < MOST
        if path in BACK:
            page.evaluate("focusWalk.turn()")
            for _ in range(stops):
                page.keyboard.press("Shift+Tab")
                wrong += [f"{path}, back: {fault}" for fault in page.evaluate("focusWalk.faults(true)")]
            assert page.evaluate("document.activeElement.className") == "skip"
    context.close()
    assert wrong == []


def test_a_walk_would_find_what_is_wrong(chromium: Browser) -> None:
    page = chromium.new_page()
    page.set_content(
        "<style>#a:focus { outline: none } #c:focus { outline: 3px solid #eee; }</style>"
        "<body style='background: #fff'><button id=a>a</button><button id=b tabindex=3>b</button>"
        "<button id=c>c</button><div style='position: relative'><button id=d>d</button>"
        "<div style='position: absolute; inset: 0; background: #fff'></div></div>"
    )
    page.evaluate(WALK)
    found: list[str] = []
    for _ in range(4):
        page.keyboard.press("Tab")
        found += page.evaluate("focusWalk.faults()")
    page.context.close()
    assert [re.sub(r" <.*", "", fault) for fault in found] == [
        "no ring on",
        "out of order:",
        "a ring of 1.16:1 on",
        "covered:",
    ]


@pytest.mark.parametrize("path", ["/", "/releases/cityworks/23.12/", "/support/ticket/", "/search/"])
def test_the_first_stop_skips_what_every_page_has(site: Any, page: Page, path: str) -> None:
    visit(page, site.url + path)
    page.keyboard.press("Tab")
    assert page.evaluate("focusWalk.name()") == "Skip to content"
    expect(page.locator(":focus")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("Boolean(document.activeElement.closest('#content'))")


@pytest.mark.parametrize("path", ["/", "/releases/cityworks/23.12/", "/search/?q=work"])
def test_no_single_key_does_anything(site: Any, page: Page, path: str) -> None:
    page.goto(site.url + path)
    if "?" in path:
        expect(page.get_by_role("status")).to_contain_text("found for")
    state = "() => [location.href, scrollY, document.activeElement.tagName, document.body.innerText]"
    before = page.evaluate(state)
    for key in "abcdefghijklmnopqrstuvwxyz0123456789/?.,":
        page.keyboard.press(key)
    assert page.evaluate(state) == before


def test_from_the_search_of_a_pages_top_to_a_result(site: Any, page: Page) -> None:
    visit(page, f"{site.url}/life-cycle/")
    tab_to(page, "^Search this site$")
    page.keyboard.type("work")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=work")
    page.evaluate(WALK)
    status = page.get_by_role("status")
    expect(status).to_contain_text("found for “work”")
    everything = status.inner_text()
    tab_to(page, "^Kind of page")
    page.keyboard.type("Rel")
    expect(status).not_to_have_text(everything)
    expect(page).to_have_url(re.compile("kind=Releases"))
    tab_to(page, "^Version")
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile("version="))
    page.keyboard.press("ArrowUp")
    expect(page).not_to_have_url(re.compile("version="))
    tab_to(page, "^More from Releases")
    few = page.locator("#found a").count()
    page.keyboard.press("Enter")
    expect(page.locator("#found a").nth(few)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#found a").nth(few - 1)).to_be_focused()
    wanted = page.evaluate("document.activeElement.href").split("?")[0]
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(re.escape(wanted)))


def test_the_menu_of_a_telephone_opens_closes_and_leads_on(site: Any, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    visit(page, site.url)
    tab_to(page, "^Menu$")
    page.keyboard.press("Enter")
    tab_to(page, "^Life cycle$")
    expect(page.locator(".menu nav")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".menu nav")).to_be_hidden()
    expect(page.locator(".menu summary")).to_be_focused()
    page.keyboard.press("Space")
    tab_to(page, "^Life cycle$")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/life-cycle/")


def test_a_wide_picture_scrolls_by_its_arrows(site: Any, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    visit(page, f"{site.url}/life-cycle/")
    tab_to(page, "Cityworks.* over time")
    before = page.evaluate("document.activeElement.scrollLeft")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("(before) => document.activeElement.scrollLeft < before", arg=before)


def test_every_frame_that_scrolls_is_a_stop_with_a_name(site: Any, chromium: Browser) -> None:
    """And where nothing scrolls there is no stop."""
    found = 0
    for width in (320, 1000):
        with chromium.new_context(viewport={"width": width, "height": 800}) as context:
            page = context.new_page()
            for path in (*PAGES, *SCROLLING, "/releases/cityworks/15.8.9/", "/defects/security/"):
                page.goto(site.url + path)
                frames = page.evaluate(
                    """() => [...document.querySelectorAll("body *")]
                      .filter((one) => /auto|scroll/.test(getComputedStyle(one).overflowX))
                      .filter((one) => one.scrollWidth > one.clientWidth + 1 && !one.matches("textarea"))
                      .map((one) => [one.tabIndex, one.matches("[role=region], table"), one.ariaLabel])"""
                )
                found += len(frames)
                assert all(tab == 0 and region and name for tab, region, name in frames), (path, frames)
                assert len({name for _, _, name in frames}) == len(frames), (path, frames)
                stops = page.locator("[tabindex='0']").evaluate_all(
                    "(all) => all.filter((one) => one.scrollWidth <= one.clientWidth).length"
                )
                assert stops == 0, (path, width)
    assert found > 5


def test_a_goal_of_an_upgrade_is_chosen(site: Any, page: Page) -> None:
    visit(page, f"{site.url}/upgrade/cityworks/15.8/")
    tab_to(page, "^Go to another release$")
    page.keyboard.type("Cityworks 23.11")
    expect(page.locator(".goal-told")).to_contain_text("up to 23.11")
    expect(page.locator("#to-23\\.12")).to_be_hidden()
    expect(page.locator(".goal-note")).to_be_hidden()
    tab_to(page, "^Get Cityworks 23.11$")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/releases/cityworks/23.11/")


def test_a_checksum_is_copied(site: Any, page: Page) -> None:
    visit(page, f"{site.url}/releases/cityworks/23.12/")
    tab_to(page, "^Copy the checksum of cityworks-23.12-sample.txt$")
    page.keyboard.press("Space")
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    assert re.fullmatch("[0-9a-f]{64}", str(page.evaluate("navigator.clipboard.readText()")))


def test_a_ticket_is_sent_mended_and_added_to(site: Any, page: Page) -> None:
    visit(page, site.url)
    tab_to(page, "^Get help$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/support/ticket/")
    page.evaluate(WALK)
    for field, words in (("Your name", "Dana Ortiz"), ("E-mail address", "dana.ortiz@example")):
        tab_to(page, field)
        page.keyboard.type(words)
    tab_to(page, "An answer to a question")
    page.keyboard.press("ArrowDown")  # to the defect
    tab_to(page, "A system is down")
    page.keyboard.press("Space")
    tab_to(page, "^Product$")
    page.keyboard.type("City")
    tab_to(page, "^Summary")
    page.keyboard.type("The map is white")
    tab_to(page, "^Details")
    page.keyboard.type("Since this morning.")
    tab_to(page, "^Send the ticket$")
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.locator(".error-summary")).to_be_visible()
    page.evaluate(WALK)
    tab_to(page, "e-mail address")  # of the summary
    page.keyboard.press("Enter")
    expect(page.locator("#email")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type(".gov")
    page.keyboard.press("Enter")  # sends the form from a field
    page.wait_for_url("**/api/tickets/**")
    expect(page.locator("h1")).to_be_focused()
    (ticket,) = site.desk.store.tickets(("open",))
    assert (ticket.kind, ticket.severity, ticket.product) == ("defect", "P1", "cityworks")
    page.evaluate(WALK)
    tab_to(page, "^Add a message")
    page.keyboard.type("It is the portal.")
    tab_to(page, "^Send the message$")
    page.keyboard.press("Space")
    expect(page.locator(".messages")).to_contain_text("It is the portal.")


def test_somebody_subscribes_and_asks_for_a_link(site: Any, page: Page) -> None:
    visit(page, f"{site.url}/support/subscribe/")
    tab_to(page, "^E-mail address")
    page.keyboard.type("dana.ortiz@example.gov")
    tab_to(page, "^The newsletter")
    page.keyboard.press("Space")
    tab_to(page, "^Subscribe$")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Check your e-mail")
    visit(page, f"{site.url}/support/sign-in/")
    tab_to(page, "^E-mail address")
    page.keyboard.type("dana.ortiz@example.gov")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Check your e-mail")
    page.evaluate(WALK)
    tab_to(page, "^Copy the code$")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
