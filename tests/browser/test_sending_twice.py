"""Whoever presses twice, loads again or goes back and sends the same has one ticket and one mail: with
JavaScript, which sends once, and without, where the desk knows the second by what is in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

pytestmark = pytest.mark.browser

# Where a page came to is asked for by its address: who waits for a navigation may meet the first of two
# sendings, which the browser gives up for the second.
A_TICKET = re.compile("/api/tickets/[^/]+$")


@pytest.fixture(params=["with JavaScript", "without JavaScript"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(java_script_enabled=request.param == "with JavaScript") as context:
        opened = context.new_page()
        yield opened


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    """An address of the test's own."""
    return re.sub(r"\W+", ".", request.node.name.lower())[-50:].strip(".") + "@example.gov"


def double_click(page: Page) -> None:
    page.dblclick("main form button[type=submit]")


def enter_twice(page: Page) -> None:
    """From a field, as fast as a key that bounces."""
    page.focus("#email")
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")
    page.keyboard.up("Enter")


TWICE = pytest.mark.parametrize("twice", [double_click, enter_twice])


def fill_ticket(page: Page, house: Any, address: str) -> None:
    page.goto(f"{house.url}/support/ticket/")
    for name, value in (("name", "Dana"), ("email", address), ("subject", "White"), ("description", "Map")):
        page.fill(f"#{name}", value)
    page.select_option("#product", "cityworks")
    page.fill("#version", "23.12")
    page.check("#kind-defect")
    page.check("#severity-P2")


def tickets(house: Any, address: str) -> list[str]:
    return [one.number for one in house.desk.store.tickets(["open"]) if one.email == address]


@TWICE
def test_a_ticket_sent_twice_is_one(
    house: Any, page: Page, address: str, twice: Callable[[Page], None]
) -> None:
    fill_ticket(page, house, address)
    twice(page)
    expect(page).to_have_url(A_TICKET)
    expect(page.locator("h1")).to_have_text("We have your ticket")
    page.reload()
    (number,) = tickets(house, address)
    expect(page.locator(".number")).to_have_text(number)
    assert len(house.mails(address)) == 1


def test_who_goes_back_and_sends_the_same_again_comes_to_the_same_ticket(
    house: Any, page: Page, address: str
) -> None:
    fill_ticket(page, house, address)
    page.click("main form button[type=submit]")
    expect(page).to_have_url(A_TICKET)
    first = page.url
    page.go_back()
    expect(page.locator("#subject")).to_have_value("White")  # as all that was typed, by the browser itself
    expect(page.locator("#version")).to_have_value("23.12")
    page.click("main form button[type=submit]")
    expect(page).to_have_url(A_TICKET)
    assert page.url == first
    assert len(tickets(house, address)) == 1
    assert len(house.mails(address)) == 1


def test_other_words_after_an_answer_that_was_lost_are_another_ticket(
    house: Any, chromium: Browser, address: str
) -> None:
    with chromium.new_context() as context:
        page = context.new_page()

        def lose(route: Route) -> None:
            route.fetch(max_redirects=0)
            route.abort()

        page.route("**/api/tickets", lose)
        fill_ticket(page, house, address)
        page.click("main form button[type=submit]")
        expect(page.locator("[data-status]")).to_contain_text("No answer came")
        assert len(tickets(house, address)) == 1
        page.unroute("**/api/tickets")
        page.click("main form button[type=submit]")
        expect(page).to_have_url(A_TICKET)
        assert len(tickets(house, address)) == 1
        page.go_back()
        page.fill("#subject", "Black")
        page.click("main form button[type=submit]")
        expect(page).to_have_url(A_TICKET)
        assert len(tickets(house, address)) == 2


@TWICE
def test_a_subscription_asked_for_twice_is_one_mail(
    house: Any, page: Page, address: str, twice: Callable[[Page], None]
) -> None:
    page.goto(f"{house.url}/support/subscribe/")
    page.fill("#email", address)
    page.check("#topics-1")
    twice(page)
    expect(page).to_have_url(re.compile("/api/subscriptions/sent$"))
    page.reload()
    page.go_back()
    page.go_forward()
    assert len(house.mails(address)) == 1


@TWICE
def test_a_sign_in_asked_for_twice_is_one_mail_whose_link_works_here(
    house: Any, page: Page, address: str, twice: Callable[[Page], None]
) -> None:
    fill_ticket(page, house, address)
    page.click("main form button[type=submit]")  # from now on the desk knows the address
    expect(page).to_have_url(A_TICKET)
    assert len(house.mails(address)) == 1
    page.goto(f"{house.url}/support/sign-in/")
    page.fill("#email", address)
    twice(page)
    expect(page).to_have_url(re.compile("/api/sign-in$"))
    page.reload()
    assert len(house.mails(address)) == 2
    page.goto(house.mailed_link(address, "/api/sign-in/"))
    expect(page.locator("main")).to_contain_text("You sign in as")
    page.click("main form button[type=submit]")
    expect(page).to_have_url(re.compile("/api/me$"))
