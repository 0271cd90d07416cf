"""The built site in Debian's Chromium: it fits, asks nobody else, keeps its own policy, shows its fields."""

from __future__ import annotations

import functools
import http.server
import re
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from bindery.outputs.pages import fixed

pytestmark = pytest.mark.browser

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGES = (
    "/",
    "/releases/",
    "/releases/cityworks/",
    "/releases/cityworks/23.12/",
    "/releases/cityworks/15.8.9/",
    "/life-cycle/",
    "/defects/",
    "/defects/CW-2388/",
    "/defects/CVE-2025-0994/",
    "/defects/security/",
    "/releases/cityworks/23.5/",
    "/help/",
    "/help/prepare-upgrade/",
    "/policy/",
    "/policy/support/",
    "/newsletter/",
    "/newsletter/2026-autumn/",
    "/papers/",
    "/papers/moving-a-permit-desk/",
    "/papers/work-history-and-renewal/",
    "/papers/authors/",
    "/papers/authors/sample-author/",
    "/events/",
    "/events/user-days-2027/",
    "/support/",
    "/support/ticket/",
    "/support/renewal/",
    "/support/download/",
    "/support/subscribe/",
    "/support/answers/ticket.html",
    "/404.html",
    "/about/",
    "/search/",
    "/feeds/",
    "/upgrade/cityworks/",
    "/upgrade/cityworks/15.8/",
    "/accessibility/",
    "/support/sign-in/",
    "/policy/promises/",
)
FORMS = (
    "/support/answers/ticket.html",
    "/support/answers/me.html",
    "/support/answers/sign-in-link.html",
    "/support/answers/subscription-leave.html",
    "/support/ticket/",
    "/support/renewal/",
    "/support/download/",
    "/support/subscribe/",
    "/support/sign-in/",
)


class Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(public: Path) -> Iterator[str]:
    """The address of the site, built from the repository's own content."""
    handler = functools.partial(Handler, directory=str(public))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def opened(browser: Browser, *, width: int = 1280, scheme: str = "light", script: bool = True) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
    )
    return context.new_page()


BEYOND = """() => [...document.querySelectorAll("body *")].filter((element) => {
  const box = element.getBoundingClientRect();
  return box.width && box.right > innerWidth + 1
    && !element.closest(".scroll, .article > table, pre, .trap, .hush, svg") && !element.matches(".hero")
    && getComputedStyle(element).position !== "absolute";
}).map((element) => element.outerHTML.slice(0, 120))"""
# What is clipped would hide that it overflows, so every box is asked for its right edge and for its lines.
CUT = """() => [...document.querySelectorAll("main *, .top *, .bottom *")].filter((element) => {
  const style = getComputedStyle(element);
  return style.overflowY !== "visible" && style.overflowY !== "auto" && style.overflowY !== "scroll"
    && element.scrollHeight > element.clientHeight + 1 && element.clientHeight
    && !element.closest(".hush, .trap, svg, .hero, select, input, textarea, table.stack thead");
}).map((element) => element.outerHTML.slice(0, 120))"""
SPACED = (  # WCAG 1.4.12
    "* { letter-spacing: 0.12em !important; line-height: 1.5 !important; word-spacing: 0.16em !important }"
    "p { margin-bottom: 2em !important }"
)


def pages_of(site: str) -> tuple[str, ...]:
    """Every page that the site map names, and those that it must not name."""
    with urllib.request.urlopen(f"{site}/sitemap.xml") as answer:
        named = re.findall(r"<loc>http://localhost(/.*?)</loc>", answer.read().decode())
    assert len(named) > 100
    return (*named, *(f"/support/answers/{name}.html" for name, _ in fixed.ANSWERS), "/404.html", "/search/")


@pytest.mark.parametrize(
    ("what", "width", "height", "style"),
    [
        ("spaced text", 320, 800, SPACED),
        ("text of twice the size", 1280, 800, "html { font-size: 200% !important }"),
        ("400 percent", 320, 256, ""),
    ],
)
def test_everything_can_still_be_read(
    site: str, chromium: Browser, what: str, width: int, height: int, style: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": height}, bypass_csp=True)
    page = context.new_page()
    wrong = []
    for path in PAGES:
        page.goto(site + path)
        if style:
            page.add_style_tag(content=style)
        wrong += [(path, one) for one in (*page.evaluate(BEYOND), *page.evaluate(CUT))]
    context.close()
    assert wrong == []


def test_forced_colours_leave_edges_focus_and_pictures(site: str, chromium: Browser) -> None:
    for scheme in ("light", "dark"):
        context = chromium.new_context(forced_colors="active", color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{site}/support/ticket/")
        edges = page.evaluate(
            "[...document.querySelectorAll('.form :is(input[type=text], input[type=email], select, textarea)"
            ", .form .button')].filter((field) => !field.closest('.trap'))"
            ".map((field) => getComputedStyle(field).borderTopWidth)"
        )
        assert len(edges) > 5
        assert set(edges) == {"2px"}
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.goto(f"{site}/life-cycle/")
        canvas, *drawn = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, ...['.timeline__bar', '.timeline__name', "
            "'.timeline__label'].map((name) => getComputedStyle(document.querySelector(name)).fill)]"
        )
        for colour in drawn:
            assert contrast(colour, canvas) >= 4.5, (scheme, drawn, canvas)
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_errs_or_asks_another_host(site: str, chromium: Browser, scheme: str) -> None:
    page = opened(chromium, width=320, scheme=scheme)
    told: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: told.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: told.append(f"{page.url}: {error}"))
    page.on("request", lambda request: asked.append(request.url))
    wide = []
    for path in pages_of(site) if scheme == "light" else PAGES:
        page.goto(site + path)
        beyond = page.evaluate(BEYOND)
        if beyond or page.evaluate("document.documentElement.scrollWidth") > 320:
            wide.append((path, beyond[:3]))
    page.context.close()
    assert wide == []
    assert told == []
    assert {url for url in asked if not url.startswith(site)} == set()


# A day in a card that crosses the card's own edge, or stands on another line than its parenthesis.
TORN = """() => [...document.querySelectorAll("table.stack time")].filter((day) => {
  const box = day.getBoundingClientRect();
  const row = day.closest("tr");
  const edge = row.getBoundingClientRect().right - parseFloat(getComputedStyle(row).paddingRight);
  const before = day.previousSibling;
  let torn = false;
  if (before?.nodeType === Node.TEXT_NODE && before.data.endsWith("(")) {
    const sign = document.createRange();
    sign.setStart(before, before.data.length - 1);
    sign.setEnd(before, before.data.length);
    torn = Math.abs(sign.getBoundingClientRect().bottom - box.bottom) > 2;
  }
  return torn || box.right > edge + 1;
}).map((day) => day.closest("td").textContent)"""


@pytest.mark.parametrize("width", [320, 360, 414, 768])
def test_a_day_stays_whole_and_in_its_card(site: str, chromium: Browser, width: int) -> None:
    page = opened(chromium, width=width)
    for path in ("/life-cycle/", "/defects/CW-2311/", "/defects/CVE-2025-0994/"):
        page.goto(site + path)
        expect(page.locator("table.stack time").first).to_be_visible()
        assert page.evaluate(TORN) == [], path
    page.context.close()


def test_the_vendors_name_is_one_line_on_a_phone_whatever_stands_beside_it(
    site: str, chromium: Browser
) -> None:
    page = opened(chromium, width=360)
    for path in ("/", "/releases/", "/support/ticket/", "/support/answers/me.html"):
        page.goto(site + path)
        lines = page.evaluate(
            "() => { const name = document.querySelector('.brand__name');"
            " return name.getBoundingClientRect().height / parseFloat(getComputedStyle(name).lineHeight); }"
        )
        assert round(lines) == 1, path
        beside = page.locator(".find--link a")
        if beside.count():
            name, link = page.locator(".brand__name").bounding_box(), beside.bounding_box()
            assert name and link and name["x"] + name["width"] <= link["x"], path
    page.context.close()


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_edges_of_fields_can_be_seen(site: str, chromium: Browser, scheme: str) -> None:
    page = opened(chromium, scheme=scheme)
    measured = []
    for path in FORMS:
        page.goto(site + path)
        if path == "/support/ticket/":
            page.check("#kind-session")  # its fields are asked for then
        measured += page.evaluate(
            """() => [...document.querySelectorAll(
                ".form :is(select, textarea, "
                  + "input:not([type=hidden], [type=radio], [type=checkbox], [name=website]))"
              )].map((field) => {
                const style = getComputedStyle(field);
                return [field.name, style.borderTopColor, style.backgroundColor,
                  parseFloat(style.borderTopWidth), parseFloat(style.fontSize),
                  field.getBoundingClientRect().height,
                  getComputedStyle(document.body).backgroundColor];
              })"""
        )
    page.context.close()
    assert len(measured) > 10
    for name, edge, inside, width, text, height, outside in measured:
        assert min(contrast(edge, inside), contrast(edge, outside)) >= 3, name
        assert width >= 1 and text >= 16 and height >= 44, name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(site: str, chromium: Browser, scheme: str) -> None:
    page = opened(chromium, scheme=scheme)
    poor = []
    for path in PAGES:
        page.goto(site + path)
        found = page.evaluate(
            """() => {
              const seen = (element) => {
                for (let at = element; at; at = at.parentElement) {
                  const colour = getComputedStyle(at).backgroundColor;
                  if (!/, 0\\)$|transparent/.test(colour)) return colour;
                }
                return "rgb(255, 255, 255)";
              };
              const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              const pairs = {};
              for (let node; (node = walker.nextNode()); ) {
                const element = node.parentElement;
                if (!node.textContent.trim() || !element.checkVisibility()) continue;
                if (element.closest(".hush, .skip, .trap")) continue;
                const style = getComputedStyle(element);
                const key = [style.color, seen(element)].join("|");
                pairs[key] ??= [node.textContent.trim().slice(0, 40), parseFloat(style.fontSize)];
              }
              return Object.entries(pairs);
            }"""
        )
        for pair, (text, size) in found:
            ink, paper = pair.split("|")
            if contrast(ink, paper) < (3 if size >= 24 else 4.5):
                poor.append((path, text, pair, round(contrast(ink, paper), 2)))
    page.context.close()
    assert poor == []


def test_a_checksum_can_be_copied_and_the_button_says_so(site: str, chromium: Browser) -> None:
    page = opened(chromium)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{site}/releases/cityworks/23.12/")
    row = page.locator("#files ~ .scroll tbody tr").first
    row.get_by_role("button", name="Copy the checksum of cityworks-23.12-sample.txt").click()
    expect(row.get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == row.locator(".sum").text_content()
    page.context.close()


@pytest.mark.parametrize(
    ("now", "says"),
    [
        ("2026-07-28T18:00:00Z", "Supported"),
        ("2026-07-29T18:00:00Z", "183 days left"),
        ("2027-01-27T18:00:00Z", "1 day left"),
        ("2027-01-29T06:59:00Z", "Ends today"),  # in Denver, the vendor's own place
        ("2027-01-29T07:01:00Z", "Ended"),
    ],
)
def test_script_says_whether_support_has_ended_by_the_days_of_the_vendor(
    site: str, chromium: Browser, now: str, says: str
) -> None:
    context = chromium.new_context(timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.clock.set_fixed_time(now)
    for path in ("/life-cycle/", "/releases/cityworks/15.8.9/"):
        page.goto(site + path)
        told = page.locator("[data-until]").filter(has_text="January 28, 2027")
        expect(told).to_have_text(f"January 28, 2027 {says}")
    page.goto(f"{site}/releases/cityworks/23.12/")
    expect(page.locator("[data-until] .chip")).to_have_text("Supported")
    context.close()


def test_no_single_key_does_anything(site: str, chromium: Browser) -> None:
    page = opened(chromium)
    page.goto(f"{site}/releases/cityworks/23.12/")
    for key in "npsf/.,":
        page.keyboard.press(key)
    assert page.url == f"{site}/releases/cityworks/23.12/"
    assert page.evaluate("document.activeElement === document.body")
    page.context.close()


def test_the_first_tab_skips_to_the_content(site: str, chromium: Browser) -> None:
    page = opened(chromium)
    for path in ("/", "/help/", "/support/ticket/"):
        page.goto(site + path)
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        expect(focused).to_have_text("Skip to content")
        expect(focused).to_be_in_viewport(ratio=1)
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("#content$"))
    page.context.close()


@pytest.mark.parametrize("width", [320, 1280])
def test_without_script_everything_can_be_read(site: str, chromium: Browser, width: int) -> None:
    page = opened(chromium, width=width, script=False)
    page.goto(site)
    page.get_by_role("main").get_by_role("link", name="See what is new").click()
    page.get_by_role("link", name="Cityworks → GIS-centric").click()
    expect(page.get_by_role("heading", level=2)).to_contain_text(["2026", "2025", "2024"])
    page.get_by_role("link", name="Cityworks 23.12", exact=True).click()
    expect(page.get_by_text("An inspection can ask for a photograph")).to_be_visible()
    page.get_by_text("Why", exact=True).click()
    expect(page.get_by_text("No next version of its line is released.")).to_be_visible()
    page.get_by_role("link", name="Upgrade from 23.12").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Upgrade Cityworks from 23.12 to 23.14.1")
    expect(page.locator("form.goal")).to_be_hidden()
    page.goto(f"{site}/upgrade/cityworks/")
    page.get_by_role("link", name="From 15.8", exact=True).click()
    steps = page.locator(".way__step")
    expect(steps).to_have_count(7)
    for step in steps.all():
        expect(step).to_be_visible()
    page.goto(f"{site}/life-cycle/")
    row = page.locator("tr", has_text="15.7").first
    expect(row.get_by_text("February 14, 2024")).to_be_visible()
    expect(page.locator(".chip--now")).to_have_count(0)
    page.context.close()


def test_without_script_the_menu_opens_and_the_form_can_be_sent(site: str, chromium: Browser) -> None:
    page = opened(chromium, width=360, script=False)
    page.goto(f"{site}/support/ticket/")
    page.click(".menu summary")
    expect(page.locator(".menu a", has_text="Releases")).to_be_visible()
    sent: list[str] = []

    def take(route: Route) -> None:
        sent.append(route.request.post_data or "")
        route.fulfill(status=200, content_type="text/html", body="<title>taken</title>")

    page.route("**/api/tickets", take)
    page.fill("#name", "Dana Ortiz")
    page.check("#severity-P2")
    page.click(".form button[type=submit]")
    expect(page).to_have_title("taken")
    assert "name=Dana+Ortiz" in sent[0] and "severity=P2" in sent[0] and "website=&" in sent[0] + "&"
    page.context.close()


def test_a_failure_keeps_the_answers_and_tells_the_phone(site: str, chromium: Browser) -> None:
    page = opened(chromium)
    page.goto(f"{site}/support/ticket/")
    keys: list[str | None] = []
    answers = iter(["abort", "503", "422"])

    def take(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        how = next(answers)
        if how == "abort":
            route.abort()
        elif how == "503":
            route.fulfill(status=503, content_type="text/html", body="<title>no</title>")
        else:
            body = "<form data-form><button>Send</button><p data-status></p></form>"
            route.fulfill(
                status=422,
                content_type="text/html",
                body=f"<title>Error: x</title><div id=content><h1>x</h1><h2 autofocus>Wrong</h2>{body}</div>",
            )

    page.route("**/api/tickets", take)
    page.fill("#name", "Dana Ortiz")
    page.fill("#description", "It stopped.")
    status = page.locator("[data-status]")
    button = page.locator(".form button[type=submit]")
    button.click()
    expect(page.locator("[data-status]")).to_contain_text("No answer came")
    assert "801-555-0142" in status.inner_text()
    button.click()
    expect(page.locator("[data-status]")).to_contain_text("could not take it")
    assert page.input_value("#name") == "Dana Ortiz"
    assert page.input_value("#description") == "It stopped."
    button.click()
    expect(page).to_have_title("Error: x")
    expect(page.locator(":focus")).to_have_text("Wrong")
    assert len(keys) == 3 and len(set(keys)) == 1
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", str(keys[0]))
    page.context.close()


def test_it_says_that_it_is_sending_and_sends_once(site: str, chromium: Browser) -> None:
    page = opened(chromium)
    page.goto(f"{site}/support/renewal/")
    waiting: list[Route] = []
    page.route("**/api/renewals", lambda route: waiting.append(route))
    page.fill("#agreement", "A-1")
    button = page.locator(".form button[type=submit]")
    button.dblclick()
    expect(page.locator("[data-status]")).to_contain_text("Sending")
    expect(button).to_have_attribute("aria-disabled", "true")
    assert page.evaluate("document.activeElement.type") == "submit"
    assert len(waiting) == 1
    waiting[0].abort()
    page.context.close()


def test_a_link_of_a_release_fills_in_the_download_form(site: str, chromium: Browser) -> None:
    page = opened(chromium)
    page.goto(f"{site}/releases/cityworks/23.12/")
    page.locator("a", has_text="Download").filter(has_text="cityworks").first.click()
    expect(page.locator("#product")).to_have_value("cityworks")
    expect(page.locator("#version")).to_have_value("23.12")
    expect(page.locator("#file")).to_have_value(re.compile("^cityworks-23.12"))
    page.context.close()
