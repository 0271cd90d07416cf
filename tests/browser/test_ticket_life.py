"""A ticket's whole life in Debian's Chromium, with JavaScript off and on: sent, asked about, answered, met,
closed and opened again by its visitor, while staff type their commands."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect

from chalicelib import wiring
from chalicelib.wiring import Desk
from desk.cli import main
from desk.server import Front, running
from desk.terminal import Wired

pytestmark = pytest.mark.browser

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Site:
    url: str
    desk: Desk
    environ: dict[str, str]

    def staff(self, *arguments: str) -> str:
        """What a command of staff says."""
        wired = Wired(self.environ, lambda settings: wiring.desk(settings, lambda: NOW))
        done = CliRunner().invoke(main, arguments, obj=wired)
        assert done.exit_code == 0, done.output
        return done.output


@pytest.fixture
def site(public: Path, tmp_path: Path) -> Iterator[Site]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    environ = {
        "SUPPORT_URL": f"http://127.0.0.1:{port}",
        "SUPPORT_VAR": str(tmp_path / "var"),
        "SUPPORT_CATALOG": str(public / "data" / "catalog.json"),
        "DESK_USER": "Robin",
    }
    desk = wiring.desk(environ, lambda: NOW)
    with running(Front(desk, public), port=port):
        yield Site(environ["SUPPORT_URL"], desk, environ)
    desk.store.close()


@pytest.fixture(params=["with JavaScript", "without JavaScript"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": 360, "height": 900}, java_script_enabled=request.param == "with JavaScript"
    )
    opened = context.new_page()
    yield opened
    context.close()


def fill(page: Page, site: Site, kind: str) -> None:
    page.goto(f"{site.url}/support/ticket/")
    for name, value in (("name", "Dana Ortiz"), ("email", "dana@example.gov"), ("subject", "Please look")):
        page.fill(f"#{name}", value)
    page.fill("#description", "All of it.")
    page.check(f"#kind-{kind}")
    page.check("#severity-P2")


def test_a_ticket_from_its_form_to_its_end_and_back(site: Site, page: Page) -> None:
    fill(page, site, "question")
    expect(page.locator("#session_date")).to_be_hidden()
    page.click("text=Send the ticket")
    state, number = page.locator(".ticket-state"), page.locator(".number").inner_text()
    expect(state).to_have_text("Open")
    expect(page.locator("dl.facts strong")).to_have_text("Monday, November 23, 2026, 2:00 p.m. MST")
    site.staff("tickets", "reply", number, "--wait", "-m", "Which browser?")
    page.reload()
    expect(state).to_have_text("Waiting for you")
    expect(page.locator(".messages li").last).to_contain_text("Which browser?")
    page.get_by_label("Your answer").fill("Firefox")
    page.click("text=Send the message")
    expect(state).to_have_text("Open")
    site.staff("tickets", "reply", number, "-m", "Use the other button.")
    page.reload()
    expect(state).to_have_text("Answered")
    page.click("text=This is solved")
    expect(state).to_have_text("Closed")
    expect(page.locator("text=This is solved")).to_have_count(0)
    page.get_by_label("Write to us and open it again").fill("It is back")
    page.click("text=Send the message")
    expect(state).to_have_text("Open")
    told = page.locator(".events li").all_inner_texts()
    assert [line.splitlines()[-1] for line in told] == [
        "You sent the ticket.",
        "We asked you something.",
        "You wrote, and the ticket was opened again.",
        "We answered.",
        "You closed the ticket.",
        "You wrote, and the ticket was opened again.",
    ]


def test_a_session_is_wished_for_planned_and_put_into_a_calendar(site: Site, page: Page) -> None:
    fill(page, site, "session")
    page.fill("#session_date", "2026-11-26")
    page.fill("#session_time", "10:00")
    page.click("text=Send the ticket")
    expect(page.locator("#session_time-error")).to_contain_text("The nearest hour that we can offer is")
    page.fill("#session_date", "2026-11-24")
    page.click("text=Send the ticket")
    expect(page.locator("#session + p")).to_contain_text("Tuesday, November 24, 2026, 10:00 a.m. MST")
    site.staff("tickets", "session", page.locator(".number").inner_text())
    page.reload()
    with page.expect_download() as download:
        page.click("text=Put it into your calendar")
    assert download.value.suggested_filename == "session.ics"
    assert "BEGIN:VEVENT" in Path(download.value.path()).read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_in_any_state(site: Site, chromium: Browser, scheme: str) -> None:
    context = chromium.new_context(viewport={"width": 320, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    fill(page, site, "question")
    page.fill("#subject", "x" * 120)
    page.click("text=Send the ticket")
    number = page.locator(".number").inner_text()
    for step in ([], ["wait"], ["reply", "-m", "y" * 300], ["close"]):
        if step:
            site.staff("tickets", step[0], number, *step[1:])
            page.reload()
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(wide), step
    context.close()
