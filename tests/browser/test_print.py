"""Pages on paper: what tables, lists and panels say reaches the sheet whole, and nothing to press does."""

from __future__ import annotations

import functools
import http.server
import io
import re
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

TABLES = (
    "/life-cycle/",
    "/upgrade/cityworks/",
    "/upgrade/cityworks/15.2/",
    "/upgrade/cityworks/15.8/",
    "/upgrade/cityworks/23.14.1/",
    "/releases/cityworks/23.12/",
    "/releases/cityworks/15.8.9/",
    "/defects/CVE-2025-0994/",
    "/defects/security/",
    "/policy/support/",
    "/feeds/",
)
SAID = """() => [...document.querySelectorAll(".article :is(th, td, li, dt, dd, h1, h2, h3, caption)")]
  .filter((one) => one.checkVisibility({ contentVisibilityAuto: false }) && !one.closest(".hush, svg"))
  .map((one) => {
    const copy = one.cloneNode(true);
    for (const off of copy.querySelectorAll(".hush, .chip--now, .copy, svg, details")) off.remove();
    for (const link of copy.querySelectorAll('a[href^="http"]')) {
      link.append(` (${link.getAttribute("href")})`);
    }
    return copy.textContent;
  })"""
BEYOND = """() => [...document.querySelectorAll("body *")].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.width && box.right > innerWidth + 1 && !one.closest("svg, .hush, .skip, .trap");
}).map((one) => one.outerHTML.slice(0, 100))"""


@pytest.fixture(scope="module")
def site(public: Path) -> Iterator[str]:
    """The address of the site, built from the repository's own content."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(public))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def bare(text: str) -> str:
    """Without blanks, as lines end elsewhere on a sheet, and without the ligatures of its letters."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def sheets(pdf: bytes) -> list[str]:
    return [sheet.extract_text() for sheet in pypdf.PdfReader(io.BytesIO(pdf)).pages]


@pytest.mark.parametrize("format", ["Letter", "A4"])
@pytest.mark.parametrize("path", TABLES)
def test_the_sheet_holds_every_row_and_column(site: str, chromium: Browser, path: str, format: str) -> None:
    context = chromium.new_context(color_scheme="dark")  # whose paper is white all the same
    page = context.new_page()
    page.goto(site + path)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": {"Letter": 739, "A4": 717}[format], "height": 900})
    beyond, said = page.evaluate(BEYOND), page.evaluate(SAID)
    margin = dict.fromkeys(("top", "bottom", "left", "right"), "10mm")
    told = bare("".join(sheets(page.pdf(format=format, margin=margin))))
    context.close()
    assert beyond == []
    assert len(said) > 10
    assert [cell for cell in said if bare(cell) not in told] == []


def test_the_head_of_a_long_table_stands_on_each_sheet(site: str, chromium: Browser) -> None:
    page = chromium.new_page()
    page.goto(f"{site}/life-cycle/")
    told = [bare(sheet) for sheet in sheets(page.pdf(width="180mm", height="120mm"))]
    page.context.close()
    heads = [sheet for sheet in told if "VersionReleasedNewestupdateSupporteduntilWhy" in sheet]
    assert len(told) > 3
    assert len(heads) > 2


def test_paper_gets_the_reasons_and_nothing_to_press(site: str, chromium: Browser) -> None:
    page = chromium.new_page()
    page.goto(f"{site}/upgrade/cityworks/15.8/")
    told = bare("".join(sheets(page.pdf())))
    page.goto(f"{site}/releases/cityworks/23.12/")
    told += bare("".join(sheets(page.pdf())))
    page.emulate_media(media="print")
    pressed = page.locator("button, input, select, summary").filter(visible=True).all_text_contents()
    page.context.close()
    assert set(pressed) <= {"Why"}
    assert "Nonextversionofitslineisreleased" in told  # folded away on the screen
    for off in ("Gotoanotherrelease", "Menu", "Gethelp", "SearchSearch", "Copy", "SupportedWhy", "daysleft"):
        assert off not in told
