"""`python -m bench.reader`: what a reader's browser loads: pages of the real site, and a first search in an
archive of 10,000 pages. Bytes are those on the wire, compressed, with everything that they bring along.
Lighthouse judges pages of the real site as on a phone, where it is installed (`make bench` does)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import click
from playwright.sync_api import Browser, Request, expect, sync_playwright

from bench import archive

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
NOW = "2026-11-23T12:00:00+00:00"
PAGES = ("/", "/releases/cityworks/23.12/", "/life-cycle/", "/support/ticket/", "/search/")
WORDS = ("pipe", "maps", "report")
HOME_AIM, FIRST_AIM, LATER_AIM = 90_000, 200_000, 80_000
LIGHTHOUSE = ROOT / ".venv" / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"
SCORES = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
CHROMIUM = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    what: str
    requests: int
    size: int
    aim: int = 0


@click.command()
@click.option("--pages", default=10_000, show_default=True, help="Pages of the archive that is searched.")
def main(pages: int) -> None:
    """Measure what a reader loads; builds both sites in a temporary folder first."""
    with tempfile.TemporaryDirectory(prefix="reader-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        found = [*_own(Path(folder), browser), *_searches(Path(folder), browser, pages)]
        browser.close()
    for one in found:
        aim = f", aim {one.aim / 1000:.0f} KB: {'reached' if one.size <= one.aim else 'MISSED'}"
        click.echo(
            f"{one.what:44} {one.size / 1000:7.1f} KB in {one.requests:2} requests{aim if one.aim else ''}"
        )


def _own(folder: Path, browser: Browser) -> Iterator[Loaded]:
    with _served(ROOT / "content", folder / "own") as url:
        for path in PAGES:
            if LIGHTHOUSE.is_file():
                click.echo(_judged(url, path, folder / "lighthouse.json"))
            context = browser.new_context(viewport={"width": 360, "height": 800})
            page, requests = context.new_page(), []
            page.on("requestfinished", lambda request, to=requests: to.append(request))
            page.goto(url + path, wait_until="networkidle")
            yield Loaded(
                what=f"first view of {path}",
                requests=len(requests),
                size=_size(requests),
                aim=HOME_AIM if path == "/" else 0,
            )
            context.close()


def _searches(folder: Path, browser: Browser, pages: int) -> Iterator[Loaded]:
    content = folder / "archive" / "content"
    for path, text in archive.files(pages):
        (content / path).parent.mkdir(parents=True, exist_ok=True)
        (content / path).write_text(text, encoding="utf-8")
    with _served(content, folder / "archive") as url:
        for word in WORDS:
            context = browser.new_context()
            page, requests = context.new_page(), []
            page.on("requestfinished", lambda request, to=requests: to.append(request))
            page.goto(f"{url}/search/?q={word}")
            expect(page.locator("#found-status")).to_contain_text("found for", timeout=60_000)
            page.wait_for_load_state("networkidle")
            first = [one for one in requests if "/search/" in one.url]
            yield Loaded(
                what=f"first search in {pages:,} pages, “{word}”",
                requests=len(first),
                size=_size(first),
                aim=FIRST_AIM,
            )
            requests.clear()
            page.fill("#words", "water main")
            expect(page.locator("#found-status")).to_contain_text("water main", timeout=60_000)
            page.wait_for_load_state("networkidle")
            yield Loaded(
                what="  and a later one of two words",
                requests=len(requests),
                size=_size(requests),
                aim=LATER_AIM,
            )
            context.close()


def _judged(url: str, path: str, out: Path) -> str:
    """Lighthouse's four scores of a page as on a phone, each beside what is aimed at where it is missed."""
    said = ("--quiet", "--no-enable-error-reporting", "--output=json", f"--output-path={out}")
    subprocess.run(
        ["node", LIGHTHOUSE, url + path, *said, f"--chrome-flags={CHROMIUM}"],
        env={**os.environ, "CHROME_PATH": "/usr/bin/chromium"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    found = json.loads(out.read_text(encoding="utf-8"))["categories"]
    told = []
    for name, aim in SCORES.items():
        score = round(found[name]["score"] * 100)
        told.append(f"{name} {score}" + ("" if score >= aim else f" (aim {aim}: MISSED)"))
    return f"Lighthouse, {path}: {', '.join(told)}"


def _size(requests: list[Request]) -> int:
    """Bodies on the wire; a worker's own script is told without its size and is asked for once more."""
    total = 0
    for request in requests:
        sizes = request.sizes()
        told = sizes["responseBodySize"]
        if not told:
            response = request.response()
            told = int(response.headers.get("content-length", "0")) if response else 0
        total += told
    return total


@contextmanager
def _served(content: Path, folder: Path) -> Iterator[str]:
    """The site of that content with its desk, on a port of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    folder.mkdir(parents=True, exist_ok=True)
    click.echo(f"Building {content} …", err=True)
    command = [BIN / "bindery", "build", "--content", content, "--site", ROOT / "site"]
    subprocess.run(
        [*command, "--out", folder / "dist", "--now", NOW, "--url", url],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    environ = {**os.environ, "SUPPORT_URL": url, "SUPPORT_VAR": str(folder / "var")}
    serve = [BIN / "desk", "serve", "--port", str(port), "--public", folder / "dist" / "public"]
    server = subprocess.Popen(serve, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                with urlopen(f"{url}/api/health"):
                    break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
