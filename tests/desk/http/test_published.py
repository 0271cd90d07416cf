"""The published folder: as it lies there, at pretty addresses, whole, and nothing outside it."""

from __future__ import annotations

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from desk import published
from desk.published import content_type

LONG = "<p>" + "word " * 1000 + "</p>"


@pytest.fixture
def site(house: Any) -> Any:
    files = {
        "index.html": "<h1>Home</h1>",
        "404.html": "<h1>No such page</h1>",
        "help/index.html": LONG,
        "assets/site.0123abcd.css": "a{}",
        "assets/plain.css": "a{}",
        "feeds/all.rss": "<rss/>",
        "feeds/all.json": "{}",
        "support/answers/ticket.html": "[[ number ]]",
        ".well-known/security.txt": "Contact: x",
        ".git/config": "secret",
        "pages/.hidden": "secret",
        "a b/ü.txt": "named",
        "empty/file.txt": "no index here",
    }
    for name, text in files.items():
        path = house.public / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return house


def test_a_folder_is_its_index_and_a_folder_without_its_slash_leads_there(site: Any) -> None:
    assert site.client.get("/").body == b"<h1>Home</h1>"
    assert site.client.get("/help/").body == LONG.encode()
    led = site.client.get("/help?from=mail")
    assert (led.status, led.headers["location"], led.body) == (301, "/help/?from=mail", b"")
    assert site.client.get("/a%20b/%C3%BC.txt").body == b"named"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/empty",
        "/empty/",
        "/.git/config",
        "/pages/.hidden",
        "/../conftest.py",
        "/%2e%2e/var/secret",
        "/help/../../var/secret",
        "/help/..%2f..%2fvar/secret",
        "/..\\var\\secret",
        "/help//index.html/",
        "/index.html/",
        "/index.html%00.txt",
        "/%ff",
        "/support/answers/ticket.html",
        "/support/answers/",
        "/support/answers",
    ],
)
def test_what_is_not_published_is_the_sites_own_404_page(site: Any, path: str) -> None:
    reply = site.client.get(path)
    assert (reply.status, reply.body) == (404, b"<h1>No such page</h1>")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"


def test_what_has_moved_leads_on_and_what_is_gone_says_so(site: Any) -> None:
    told = json.dumps(
        {
            "moved": {"/old/": "/help/", "/data/a.json": "/data/b.json"},
            "gone": {"/grave/": "x", "/a.pdf": "x"},
        }
    )
    for name, text in {"data/moved.json": told, "old/index.html": "led", "grave/index.html": "why"}.items():
        (site.public / name).parent.mkdir(exist_ok=True)
        (site.public / name).write_text(text)
    for path, to in (("/old/?from=mail", "/help/?from=mail"), ("/data/a.json", "/data/b.json")):
        led = site.client.get(path)
        assert (led.status, led.headers["location"]) == (301, to)
    assert [(r.status, r.body) for r in map(site.client.get, ("/grave/", "/a.pdf"))] == [
        (410, b"why"),
        (410, b"<h1>No such page</h1>"),
    ]
    (site.public / "data/moved.json").write_text("no JSON at all")
    assert site.client.get("/old/").body == b"led"


def test_security_txt_is_served_though_its_folder_begins_with_a_dot(site: Any) -> None:
    reply = site.client.get("/.well-known/security.txt")
    assert (reply.body, reply.headers["content-type"]) == (b"Contact: x", "text/plain; charset=utf-8")


def test_a_link_out_of_the_folder_is_not_followed(site: Any, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("secret")
    (site.public / "inside.txt").symlink_to(tmp_path / "outside.txt")
    assert site.client.get("/inside.txt").status == 404


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("feeds/all.rss", "application/rss+xml"),
        ("feeds/all.atom", "application/atom+xml"),
        ("feeds/all.json", "application/feed+json"),
        ("feeds/archive/releases/works/1.json", "application/feed+json"),
        ("feeds/feeds.opml", "text/x-opml; charset=utf-8"),
        ("data/catalog.json", "application/json"),
        ("calendar/events.ics", "text/calendar; charset=utf-8"),
        ("site.webmanifest", "application/manifest+json"),
        ("index.html", "text/html; charset=utf-8"),
        ("assets/a.js", "text/javascript; charset=utf-8"),
        ("assets/a.woff2", "font/woff2"),
        ("papers/a/paper.pdf", "application/pdf"),
        ("papers/a/paper.bib", "application/x-bibtex; charset=utf-8"),
        ("assets/a.wasm", "application/wasm"),
        ("unknown.zzz", "application/octet-stream"),
    ],
)
def test_files_are_what_their_names_say(name: str, kind: str) -> None:
    assert content_type(name) == kind


def test_a_page_is_asked_for_again_and_a_fingerprinted_asset_is_not(site: Any) -> None:
    assert site.client.get("/").headers["cache-control"] == "no-cache"
    assert site.client.get("/assets/plain.css").headers["cache-control"] == "no-cache"
    assert site.client.get("/assets/site.0123abcd.css").headers["cache-control"] == (
        "public, max-age=31536000, immutable"
    )


def test_what_the_reader_has_is_not_sent_again(site: Any) -> None:
    for headers in ({}, {"Accept_Encoding": "gzip"}):
        tag = site.client.get("/help/", **headers).headers["etag"]
        again = site.client.get("/help/", If_None_Match=f'"other", W/{tag}', **headers)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert site.client.get("/help/", If_None_Match='"other"').status == 200


def test_text_is_compressed_for_who_takes_it(site: Any) -> None:
    reply = site.client.get("/help/", Accept_Encoding="br, gzip;q=0.5")
    assert reply.headers["content-encoding"] == "gzip"
    assert gzip.decompress(reply.body) == LONG.encode()
    assert reply.headers["vary"] == "Accept-Encoding"
    for accepted in ("", "gzip;q=0", "br"):
        plain = site.client.get("/help/", Accept_Encoding=accepted)
        assert ("content-encoding" in plain.headers, plain.body) == (False, LONG.encode())
        assert plain.headers["vary"] == "Accept-Encoding"


def test_a_page_takes_nothing(site: Any) -> None:
    reply = site.client.send("POST", "/help/", b"x")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert reply.body == b"This address is a page: it can be read, and takes nothing.\n"
    options = site.client.send("OPTIONS", "/help/")
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_head_tells_the_length_and_sends_nothing(site: Any) -> None:
    reply = site.client.send("HEAD", "/help/")
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", str(len(LONG)))


def test_without_a_site_the_404_says_how_to_build_one(build_house: Any, tmp_path: Path) -> None:
    house = build_house(public=tmp_path / "nowhere")
    assert house.client.get("/").text == (
        "The site is not built yet: `make serve` builds it, and `bindery build` does so alone.\n"
    )
    assert house.client.get("/").status == 404


def test_a_flipped_pointer_is_followed_and_no_reader_sees_a_gap(build_house: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name / "public"
        (folder / "support" / "answers").mkdir(parents=True)
        (folder / "page.html").write_text(name * 50_000)
        (folder / "support" / "answers" / "refused.html").write_text(f"{name} [[ title ]]")
    current = tmp_path / "current"
    current.symlink_to("one")
    house = build_house(public=current / "public")
    assert house.client.page("/api/nothing").text == "one Not found"
    stop, seen, wrong = threading.Event(), set(), []

    def read() -> None:
        while not stop.is_set():
            reply = house.client.get("/page.html")
            if reply.status != 200 or len(reply.body) != 150_000 or len(set(reply.text)) != 3:
                wrong.append(reply)
            seen.add(reply.text[:3])

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(20):
        new = tmp_path / "new"
        new.symlink_to("two" if turn % 2 == 0 else "one")
        new.replace(current)
        house.client.get("/page.html")
    stop.set()
    reader.join()
    assert wrong == []
    assert seen == {"one", "two"}
    new.symlink_to("two")
    new.replace(current)
    assert house.client.page("/api/nothing").text == "two Not found"


def test_a_page_that_goes_while_it_is_opened_is_a_page_that_is_not_there(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ = published._open

    def opened(root: Path, name: str) -> Any:
        found = open_(root, name)
        (root / "help/index.html").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(published, "_open", opened)
    gone = site.client.get("/help/")
    assert (gone.status, gone.body) == (404, b"<h1>No such page</h1>")
