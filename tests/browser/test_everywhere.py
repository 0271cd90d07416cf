"""Everything that the desk answers, as everybody meets it: it fits a narrow screen and large text, its fields
and buttons can be seen and hit, it keeps the page's policy and asks no other host."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from bindery.outputs.pages import fixed
from chalicelib import answers

pytestmark = pytest.mark.browser

MEASURES = (Path(__file__).parent / "measures.js").read_text(encoding="utf-8")
SPACED = (  # WCAG 1.4.12
    "* { letter-spacing: 0.12em !important; line-height: 1.5 !important; word-spacing: 0.16em !important }"
    "p { margin-bottom: 2em !important }"
)
TWICE = "html { font-size: 200% !important }"
NARROW = (  # what, width, height, style
    ("320 px", 320, 800, ""),
    ("spaced text", 320, 800, SPACED),
    ("text of twice the size", 640, 800, TWICE),
    ("400 percent", 320, 256, ""),
)
USUAL = ("Failed to load resource", "Autofocus processing was blocked because a document's URL")
LONG = "W" * 120  # the longest summary, in the widest letter, as one word
PARTS = frozenset({"plain", "form", "error-summary"})  # of the built-in pages, or for every form


class Visitor:
    """One person and browser, who comes to every page that the desk answers with. `plain` is a desk without
    its site, whose forms nobody can open: one that lacks something is sent to it, and it comes back."""

    def __init__(self, house: Any, context: BrowserContext, *, plain: bool) -> None:
        self.house, self.page, self.plain = house, context.new_page(), plain

    def opened(self, name: str, action: str) -> None:
        if self.plain:
            self.send(action, {"key": "x"} if name in ("renewal", "download") else {"email": "x"})
        else:
            self.page.goto(f"{self.house.url}/support/{name}/")

    def send(self, action: str, values: dict[str, str]) -> None:
        """Sends what no form of ours would, from a page of ours."""
        self.page.goto(f"{self.house.url}/api/tickets/nothing")
        with self.page.expect_navigation():
            self.page.evaluate(
                """([action, values]) => {
                  const form = document.createElement("form");
                  Object.assign(form, { method: "post", action });
                  for (const [name, value] of Object.entries(values)) {
                    form.append(Object.assign(document.createElement("input"), { name, value }));
                  }
                  document.body.append(form);
                  form.submit();
                }""",
                [action, values],
            )

    def press(self, words: str = "") -> None:
        """Presses a button and waits until another page, or other contents, have taken the place of these."""
        self.page.evaluate("() => { window.before = document.querySelector('#content') ?? document.body; }")
        if words:
            self.page.get_by_role("button", name=re.compile(words)).first.click()
        else:
            self.page.click("main form button[type=submit]")
        self.page.wait_for_function("() => !window.before || !window.before.isConnected")
        self.page.wait_for_load_state()

    def fill(self, values: dict[str, str]) -> None:
        for name, value in values.items():
            box = self.page.locator(f"main form [name={name}]").first
            kind = box.get_attribute("type") or box.evaluate("(one) => one.localName")
            if kind in ("radio", "checkbox"):
                self.page.check(f"main form [name={name}][value='{value}']")
            elif kind == "select":
                box.select_option(value)
            else:
                box.fill(value)

    def walk(self, stranger: Page, address: str, file: Path) -> Iterator[tuple[str, str, Page]]:
        """Every answer: the name of its template, what is shown, and the page that shows it."""
        page = self.page
        for name, action in (
            ("ticket", "/api/tickets"),
            ("renewal", "/api/renewals"),
            ("download", "/api/downloads"),
            ("subscribe", "/api/subscriptions"),
            ("sign-in", "/api/sign-in"),
        ):
            self.opened(name, action)
            yield "form", f"the form {name}", page
            self.press()
            yield "form", f"the form {name}, sent empty", page
        yield from self._ticket(file, address)
        self.opened("renewal", "/api/renewals")
        self.fill({"agreement": "DEMO-1", "key": self.house.key})
        self.press()
        yield "renewal", "a renewal", page
        self.opened("renewal", "/api/renewals")
        self.fill({"agreement": "DEMO-1", "key": "wrong"})
        self.press()
        yield "refused", "a wrong key", page
        self.opened("download", "/api/downloads")
        self.fill({"agreement": "DEMO-1", "key": self.house.key, "product": "cityworks", "version": "23.12"})
        self.fill({"file": "cityworks-23.12-sample.txt"})
        self.press()
        yield "download", "a download", page
        self.send("/api/updates", {"product": "cityworks", "version": "15.8.9"})
        yield "updates", "updates of a version", page
        yield from self._subscription(address)
        yield from self._signing_in(stranger, address)

    def _ticket(self, file: Path, address: str) -> Iterator[tuple[str, str, Page]]:
        page = self.page
        self.opened("ticket", "/api/tickets")
        values = {"name": "Dana Ortiz", "email": address, "kind": "session", "severity": "P2"}
        values |= {"product": "cityworks", "version": "23.5", "description": LONG, "subject": "Time zone"}
        self.fill(values)
        if not self.plain:
            page.locator("[data-similar] a").first.wait_for()
            page.locator("[data-known] a").first.wait_for()
        yield "form", "the form ticket, filled in, with what helps beside it", page
        self.fill({"subject": LONG})
        self.press()
        yield "ticket", "a ticket", page
        self.press("^Send the message")
        yield "ticket", "a ticket, whose message was empty", page
        self.fill({"text": LONG})
        self.press("^Send the message")
        page.set_input_files("#file", file)
        self.press("Upload the file|Attach the file")
        page.get_by_text(file.name).first.wait_for()
        yield "ticket", "a ticket with a message and a file", page
        self.press("This is solved")
        yield "ticket", "a closed ticket", page

    def _subscription(self, address: str) -> Iterator[tuple[str, str, Page]]:
        page, house = self.page, self.house
        self.opened("subscribe", "/api/subscriptions")
        self.fill({"email": address})
        if self.plain:
            self.fill({"topics": "newsletter"})
        else:
            page.check("#topics-1")
        self.press()
        yield "subscription-sent", "a subscription, asked for", page
        page.goto(house.mailed_link(address, "/api/subscriptions/confirm/"))
        yield "subscription-confirm", "a subscription, to be confirmed", page
        self.press("Confirm")
        yield "subscription-confirmed", "a subscription, confirmed", page
        page.get_by_role("link", name="Change what you get, or unsubscribe").click()
        yield "subscription-leave", "a subscription", page
        page.uncheck("[name=topics][value=newsletter]")
        self.press("Save")
        yield "subscription-leave", "a subscription to nothing", page
        self.press("Unsubscribe")
        yield "subscription-left", "a subscription, left", page
        self.press("ubscribe me again")

    def _signing_in(self, stranger: Page, address: str) -> Iterator[tuple[str, str, Page]]:
        page, house = self.page, self.house
        self.opened("sign-in", "/api/sign-in")
        self.fill({"email": address})
        self.press()
        yield "sign-in-sent", "a link, asked for", page
        link = house.mailed_link(address, "/api/sign-in/")
        stranger.goto(link)
        yield "sign-in-link", "a link in another browser", stranger
        stranger.fill("#code", "222-222")
        with stranger.expect_navigation():
            stranger.click("main form button[type=submit]")
        yield "sign-in-link", "a link with a wrong code", stranger
        page.goto(link)
        yield "sign-in-link", "a link", page
        self.press()
        page.goto(f"{house.url}/api/me")
        self.press("Make .*address")
        page.goto(f"{house.url}/api/me")
        for folded in page.locator("main details").all():
            folded.evaluate("(one) => { one.open = true; }")
        yield "me", "my page", page
        page.goto(f"{house.url}/api/sign-out")
        yield "signed-out", "the page to sign out", page
        self.press("Sign out$")
        yield "signed-out", "signed out", page


def narrow(page: Page) -> list[str]:
    """What does not fit."""
    found = []
    for what, width, height, style in NARROW:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("(style) => measured.dress(style)", style)
        found += [f"{what}: {fault}" for fault in page.evaluate("[...measured.beyond(), ...measured.cut()]")]
    page.evaluate("measured.dress('')")
    page.set_viewport_size({"width": 1280, "height": 800})
    return found


def luminance(pixel: tuple[int, ...]) -> float:
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
        for share in (part / 255 for part in pixel[:3])
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def faint(page: Page) -> list[str]:
    """Fields whose edge is below 3:1 against the ground around them, by the pixels from outside to inside."""
    fields = page.evaluate("measured.fields()")
    if not fields:
        return []
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True, animations="disabled"))).convert("RGB")
    found = []
    for field in fields:
        y = round(field["y"] + field["height"] / 2)
        x = round(field["x"])
        ground, *others = (cast("tuple[int, ...]", shot.getpixel((at, y))) for at in range(x - 3, x + 6))
        best = max(contrast(ground, other) for other in others)
        if best < 3:
            found.append(f"an edge of {best:.2f}:1 around {field['name']}")
    return found


Measure = Callable[[Page], list[str]]


def all_of(page: Page) -> list[str]:
    return [*faint(page), *page.evaluate("measured.small()"), *narrow(page)]


def visited(
    house: Any, chromium: Browser, file: Path, measure: Measure, *, scheme: Any, plain: bool
) -> tuple[set[str], list[str]]:
    """The templates that were met, and all faults of what was shown."""
    look = {"viewport": {"width": 1280, "height": 800}, "color_scheme": scheme, "reduced_motion": "reduce"}
    context, other = chromium.new_context(**look), chromium.new_context(**look)
    met: set[str] = set()
    wrong: list[str] = []
    doing = ["beginning"]
    for one in (context, other):
        one.on(
            "console",
            lambda said: None if said.text.startswith(USUAL) else wrong.append(f"{doing[0]}: {said.text}"),
        )
        one.on("weberror", lambda error: wrong.append(f"{doing[0]}: {error.error}"))
        one.on(
            "request",
            lambda asked: None if asked.url.startswith(house.url) else wrong.append(f"asked: {asked.url}"),
        )
    visitor = Visitor(house, context, plain=plain)
    stranger = other.new_page()
    address = f"somebody.with.quite.a.long.address.{scheme}.{plain}@department.example.gov".lower()
    kept = house.desk.store.agreement("DEMO-1")
    changed = {name: getattr(kept, name) for name in kept.__dataclass_fields__}
    house.desk.store.import_agreements(
        [type(kept)(**(changed | {"contacts": (*kept.contacts, address)}))], dry_run=False
    )
    titles = {name: re.sub(r"\\\[\\\[.*?\\\]\\\]", ".+", re.escape(title)) for name, title in fixed.ANSWERS}
    for template, what, page in visitor.walk(stranger, address, file):
        doing[0] = what
        if template in titles and not plain:
            assert re.match(f"(Error: )?{titles[template]} · ", page.title()), (what, page.title())
        met.add(template)
        page.evaluate(MEASURES)
        wrong += [f"{what}: {fault}" for fault in measure(page)]
    context.close()
    other.close()
    return met, wrong


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / f"{'n' * 80}.log"
    made.write_bytes(b"bytes")
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_answer_fits_shows_its_fields_and_asks_nobody_else(
    house: Any, chromium: Browser, file: Path, scheme: str
) -> None:
    met, wrong = visited(house, chromium, file, all_of, scheme=scheme, plain=False)
    assert wrong == []
    assert met - {"form"} == {name for name, _ in fixed.ANSWERS}


def test_the_desks_own_plain_pages_fit_too(bare_house: Any, chromium: Browser, file: Path) -> None:
    met, wrong = visited(bare_house, chromium, file, narrow, scheme="light", plain=True)
    assert wrong == []
    assert met - {"form"} == {path.stem for path in answers.BUILT_IN.glob("*.html")} - PARTS
