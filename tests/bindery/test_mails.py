"""The newsletter: one body for page, feed and mail; blocks that nobody copies; mails that programs show."""

from __future__ import annotations

import json
import re
import smtplib
import socket
import struct
import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from hypothesis import given, settings
from hypothesis import strategies as st

from bindery import binding, blocks, render
from bindery.library import Library
from bindery.outputs.mails import plain, styled
from bindery.source import Problems

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "https://s.example/sub/"
Write = Callable[..., Path]
ISSUE = "---\ntitle: Summer\ndate: 2025-06-01\nsummary: All of it.\nnumber: 2\n---\n\n"


def as_text(markdown: str) -> str:
    return plain.as_text(render.fragment(markdown, SITE))


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("Read [this](https://s.example/a/).", "Read this <https://s.example/a/>."),
        ("[https://x.example/](https://x.example/)", "https://x.example/"),
        ("Write to [a@b.example](mailto:a@b.example).", "Write to a@b.example."),
        ("Go [up](#top).", "Go up."),
        (
            "[one][r] and [r]\n\n[r]: https://x.example/",
            "one <https://x.example/> and r <https://x.example/>",
        ),
        ("## Heading\n\nText", "Heading\n-------\n\nText"),
        ("**Bold** and *thin* and 2 * 3 * 4.", "Bold and thin and 2 * 3 * 4."),
        ("![A map](/map.png)", "[Picture: A map]"),
        ("Before:\n\n- one\n- two\n  more\n\nAfter", "Before:\n\n- one\n- two more\n\nAfter"),
        ("3. three\n4. four\n    - deep\n    - deeper", "3. three\n4. four\n   - deep\n   - deeper"),
        ("```\ncode  stays\n  so\n```", "code  stays\n  so"),
        ("| a | b |\n|---|---:|\n| one | 2 |", "a    b\n---  -\none  2"),
        (
            f"| Name | Means |\n|---|---|\n| [one](https://x.example/) | {'word ' * 14}|\n|| empty |",
            f"- Name: one <https://x.example/>\n  Means: {'word ' * 11}word\n    word word\n- Means: empty",
        ),
        ("x<sup>2</sup> and H<sub>2</sub>O", "x^2 and H2O"),
        ("> said\n>\n> again", "> said\n>\n> again"),
        ("Term\n:   Means this", "Term\n  Means this"),
        ("One[^1].\n\n[^1]: Note.", "One[1].\n\n--------------------\n\n1. Note."),
        ("a  \nb", "a\nb"),
        ("Fish & <chips> `a < b`", "Fish & a < b"),
    ],
)
def test_a_body_as_it_is_read_in_plain_text(markdown: str, text: str) -> None:
    assert as_text(markdown) == text


def test_long_paragraphs_are_broken_at_72_and_addresses_never() -> None:
    address = "https://s.example/" + "a" * 90
    lines = as_text("word " * 60 + f"[end]({address})").splitlines()
    assert all(len(line) <= 72 for line in lines if address not in line)
    assert f"<{address}>" in lines[-1]


WORDS = st.lists(st.text("abcdé日 .,", min_size=1, max_size=12).filter(str.strip), min_size=1, max_size=30)


@given(WORDS)
def test_no_word_of_a_paragraph_is_lost(words: list[str]) -> None:
    html = "<p>" + " ".join(f"<em>{word}</em>" for word in words) + "</p>"
    assert as_words(plain.as_text(html)) == as_words(" ".join(words))


def as_words(text: str) -> list[str]:
    return text.split()


# Blocks


def announced(title: str, first: date, **changes: Any) -> blocks.Announced:
    values = {"url": "/u/", "last": first, "text": "", "security": (), "sample": False, **changes}
    return blocks.Announced(title=title, first=first, **values)


def test_a_block_is_a_list_with_days_and_what_matters() -> None:
    told = [
        announced("Works 1.0", date(2025, 1, 2), text="The *first*."),
        announced("Works 1.1", date(2025, 3, 4), security=("CVE-2025-0994",), sample=True),
    ]
    assert blocks.block(blocks.RELEASES_SINCE_LAST, told) == (
        "- [Works 1.1](/u/), March 4, 2025 (sample). **Security:** CVE-2025-0994.\n"
        "- [Works 1.0](/u/), January 2, 2025: The \\*first\\*."
    )
    assert blocks.block(blocks.EVENTS_TO_COME, told).startswith("- [Works 1.0]")
    assert blocks.block(blocks.RELEASES_SINCE_LAST, []) == "Nothing was released since the issue before."


DAYS = st.dates(date(2000, 1, 1), date(2060, 1, 1))


@given(st.lists(DAYS, unique=True, min_size=1), DAYS)
def test_every_release_is_in_exactly_one_issue_or_before_the_first_or_after_the_last(
    issues: list[date], released: date
) -> None:
    held = 0
    before: date | None = None
    for day in sorted(issues):
        first, last = blocks.between(blocks.RELEASES_SINCE_LAST, since=before, day=day)
        held += first < released <= last
        before = day
    reach = min(issues) - blocks.FIRST_ISSUE
    assert held == (1 if reach < released <= max(issues) else 0)


def shown(write: Write, changes: dict[str, str | None], name: str = "summer") -> str:
    library: Library = binding.check(write(changes), now=NOW)
    issue = next(one for one in library.issues if one.path == f"newsletter/{name}.md")
    return library.resolved_body(issue).strip()


def test_releases_since_the_issue_before_are_those_after_its_day_up_to_the_issues_own(small: Write) -> None:
    extra = "---\nversion: {0}\nreleased: {1}\nkind: update\nof: 2.0\nsummary: S.\n---\n"
    changes = {
        "newsletter/summer.md": ISSUE + "{{ releases_since_last }}\n",
        "releases/works/2.1.md": extra.format("2.1", "2025-03-01"),  # the day of the issue before: its
        "releases/works/2.2.md": extra.format("2.2", "2025-03-02"),
        "releases/works/2.3.md": extra.format("2.3", "2025-06-01"),
        "releases/works/2.4.md": extra.format("2.4", "2025-06-02"),
    }
    assert shown(small, changes) == (
        "- [Works 2.3](/releases/works/2.3/), June 1, 2025: S.\n"
        "- [Works 2.2](/releases/works/2.2/), March 2, 2025: S."
    )


def test_what_is_under_embargo_is_in_no_block(small: Write) -> None:
    hidden = "---\nversion: 2.2\nreleased: 2025-03-02\nkind: update\nof: 2.0\n"
    hidden += "publish_at: 2027-01-01T00:00:00Z\n---\n"
    changes = {
        "newsletter/summer.md": ISSUE + "{{ releases_since_last }}\n",
        "releases/works/2.2.md": hidden,
    }
    assert shown(small, changes) == "Nothing was released since the issue before."


def test_events_to_come_and_since_the_issue_before(small: Write) -> None:
    event = "---\ntitle: {}\nstart: {}\nend: {}\nplace: Sandy, Utah\nsummary: Talks.\n---\n"
    changes = {
        "newsletter/summer.md": ISSUE + "{{ events_since_last }}\n\n{{ events_to_come }}\n",
        "events/past.md": event.format("Past", "2025-05-01", "2025-05-02"),
        "events/next.md": event.format("Next", "2025-09-01", "2025-09-03"),
        "events/far.md": event.format("Far", "2027-09-01", "2027-09-03"),
    }
    assert shown(small, changes) == (
        "- [Past](/events/past/), May 1, 2025 to May 2, 2025: Sandy, Utah. Talks.\n\n"
        "- [Next](/events/next/), September 1, 2025 to September 3, 2025: Sandy, Utah. Talks."
    )


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (
            "newsletter/summer.md",
            ISSUE + "See {{ releases_since_last }}",
            "newsletter/summer.md:8: '{{ releases_since_last }}' must stand alone on its line, "
            "it becomes a list",
        ),
        (
            "help/start.md",
            "---\ntitle: Start\n---\n{{ events_to_come }}\n",
            "help/start.md:4: '{{ events_to_come }}' must stand in an issue of the newsletter, "
            "which has an issue before it, not here",
        ),
        (
            "newsletter/summer.md",
            ISSUE + "![](map.png)",
            "newsletter/summer.md:8: the picture must have a text for those who do not see it such as "
            "'![Map of work orders](map.png)', not none",
        ),
        (
            "newsletter/summer.md",
            ISSUE + "![Map](https://t.example/p.png)",
            "newsletter/summer.md:8: the picture must lie beside the issue such as map.png, not elsewhere, "
            "at 'https://t.example/p.png'",
        ),
        (
            "newsletter/summer.md",
            ISSUE + "![Map](map.svg)",
            "newsletter/summer.md:8: the picture must be a PNG, JPEG or GIF, which mail programs show, "
            "not 'map.svg'",
        ),
        (
            "newsletter/summer.md",
            ISSUE + "![There]\n\n[there]: https://t.example/p.png",
            "newsletter/summer.md:8: the picture must lie beside the issue such as map.png, not elsewhere, "
            "at 'https://t.example/p.png'",
        ),
        (
            "newsletter/summer.md",
            ISSUE + '<img src="https://t.example/p.gif" alt="Map" width="1">',
            "newsletter/summer.md:8: the picture must lie beside the issue such as map.png, not elsewhere, "
            "at 'https://t.example/p.gif'",
        ),
        (
            "newsletter/summer.md",
            ISSUE + '\n<FORM action="https://x.example/">',
            "newsletter/summer.md:9: the HTML must be such as mails carry, like '<strong>', not '<form>'",
        ),
        (
            "newsletter/summer.md",
            ISSUE + '<b title="a > b" onclick="x()">word</b>',
            "newsletter/summer.md:8: the HTML must do nothing and fetch nothing in a mail, it must be "
            "without 'onclick'",
        ),
        (
            "newsletter/summer.md",
            ISSUE + "<b style='background: URL(https://t.example/p.gif)'>word</b>",
            "newsletter/summer.md:8: the HTML must do nothing and fetch nothing in a mail, it must be "
            "without 'style'",
        ),
        (
            "newsletter/summer.md",
            ISSUE + "`[[ leave_url ]]`",
            "newsletter/summer.md:8: '[[ leave_url ]]' is filled in for each reader of the mail, "
            "it must not stand in an issue",
        ),
        (
            "newsletter/summer.md",
            ISSUE.replace("All of it.", "'[[ leave_address ]]'"),
            "newsletter/summer.md:1: '[[ leave_address ]]' is filled in for each reader of the mail, "
            "it must not stand in an issue",
        ),
    ],
)
def test_what_cannot_be_mailed_is_a_problem_with_its_line(
    small: Write, path: str, body: str, message: str
) -> None:
    content = small({path: body})
    with pytest.raises(Problems) as refused:
        binding.check(content, now=NOW)
    assert f"{content}/{message}" in [str(problem) for problem in refused.value.problems]


def test_what_only_looks_like_html_may_stand(small: Write) -> None:
    body = "`<script>` \\<form> <https://x.example/?on=1> 1 <input 2\n\n```\n<img src=x onerror=y>\n```\n"
    assert shown(small, {"newsletter/summer.md": ISSUE + body}) == body.strip()


# The mail itself


def picture(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\x50" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class Read(HTMLParser):
    """What an HTML page or mail holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._hidden += tag in ("style", "script", "title")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script", "title")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words += data.split()

    def links(self) -> list[str]:
        return [given["href"] for tag, given in self.tags if tag == "a" and "href" in given]


BODY = (
    """## First

{{ releases_since_last }}

Read [start](../help/start.md), **twice**. ![A wide map](wide.png) and ![dot](dot.png)

| a | b |
|---|---|
| 1 | 2 |

"""
    + "word " * 400
)


@pytest.fixture(scope="module")
def built(small_in: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mails")
    small_in(folder / "content", {"newsletter/summer.md": ISSUE + BODY})
    (folder / "content/newsletter/wide.png").write_bytes(picture(900, 20))
    (folder / "content/newsletter/dot.png").write_bytes(picture(40, 40))
    binding.build(folder / "content", SITE, folder / "dist", now=NOW, url=URL, jobs=1, cache=None)
    return folder / "dist"


def test_a_mail_keeps_the_rules_that_mail_programs_have(built: Path) -> None:
    html = (built / "mails/summer/mail.html").read_text("utf-8")
    read = Read(html)
    assert html.lower().startswith("<!doctype html>")
    assert next(given["lang"] for tag, given in read.tags if tag == "html") == "en"
    assert len(html.encode()) < 92_000
    assert max(len(line.encode()) for line in html.split("\n")) < 998
    layout = [given for tag, given in read.tags if tag == "table" and given.get("role") == "presentation"]
    data = [given for tag, given in read.tags if tag == "table" and "role" not in given]
    assert (len(layout), len(data)) == (2, 1)
    pictures = [given for tag, given in read.tags if tag == "img"]
    assert [(one["alt"], one["width"]) for one in pictures] == [("A wide map", "536"), ("dot", "40")]
    assert {one["src"] for one in pictures} == {f"{URL}newsletter/wide.png", f"{URL}newsletter/dot.png"}
    assert not {tag for tag, _ in read.tags} & {"script", "form", "input", "iframe", "link", "object"}
    assert not [given for _, given in read.tags if any(name.startswith("on") for name in given)]
    # Nothing is fetched from anywhere but the site.
    outside = [one for one in re.findall(r"https?://[^\"'\s)<>]+", html) if not one.startswith(URL)]
    assert outside == []
    assert html.count("<style") == 1
    assert "prefers-color-scheme: dark" in html
    assert "@font-face" not in html and "@import" not in html
    assert html.index("All of it.") < html.index("<table")  # the line beside the subject comes first
    assert "1 Sample Street" in html
    assert f"{URL}newsletter/summer/" in read.links()
    assert "[[ leave_url ]]" in read.links()


def test_page_feed_and_mail_are_one_body_with_one_identity(built: Path) -> None:
    message = json.loads((built / "mails/summer/message.json").read_text("utf-8"))
    feed = json.loads((built / "public/feeds/newsletter.json").read_text("utf-8"))
    entry = next(one for one in feed["items"] if one["title"] == "Summer")
    assert (built / "mails/summer/subject.txt").read_text("utf-8") == "Summer\n"
    assert message["subject"] == entry["title"] == "Summer"
    assert message["url"] == entry["url"] == f"{URL}newsletter/summer/"
    assert entry["id"].endswith(f":{message['id']}")
    assert message["identity"] == "newsletter/summer@www.example.com"
    assert message["date"] == entry["date_published"][:10] == "2025-06-01"
    assert message["summary"] == entry["summary"]
    in_feed = Read(entry["content_html"])
    mail = Read((built / "mails/summer/mail.html").read_text("utf-8"))
    page = Read((built / "public/newsletter/summer/index.html").read_text("utf-8"))
    text = (built / "mails/summer/text.txt").read_text("utf-8")
    assert " ".join(in_feed.words) in " ".join(mail.words)
    assert " ".join(in_feed.words) in " ".join(page.words)
    for link in in_feed.links():
        assert link.startswith("https://")
        assert link in mail.links()
        assert f"<{link}>" in text
        assert link.removeprefix("https://s.example") in page.links()
    said = re.sub(r"\[Picture: [^\]]*\]|<https?://[^>]*>|(?m:^[-=]+$)|(?m:^- )|  +", " ", text)
    for word in in_feed.words:
        assert word in said


def test_a_mail_put_together_as_message_json_says_arrives_whole(built: Path) -> None:
    folder = built / "mails/summer"
    told = json.loads((folder / "message.json").read_text("utf-8"))

    def filled(text: str) -> str:
        return text.replace("[[ leave_url ]]", f"{URL}api/x").replace(
            "[[ leave_address ]]", "leave@s.example"
        )

    mail = EmailMessage(policy=policy.SMTP)
    mail["Subject"], mail["From"], mail["To"] = told["subject"], "news@s.example", "a@b.example"
    for name, value in told["headers"].items():
        mail[name] = filled(value)
    first, second = (filled((folder / part["file"]).read_text("utf-8")) for part in told["parts"])
    mail.set_content(first)
    mail.add_alternative(second, subtype="html")
    received: list[bytes] = []

    class Keep:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            received.append(envelope.content)
            return "250 OK"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(Keep(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        with smtplib.SMTP("127.0.0.1", port) as connection:
            connection.send_message(mail)
    finally:
        server.stop()
    assert max(map(len, received[0].split(b"\r\n"))) <= 998
    back = message_from_bytes(received[0], policy=policy.default)
    assert back["List-Unsubscribe"] == f"<{URL}api/x>, <mailto:leave@s.example>"
    assert back["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert back["List-Id"] == "<newsletter.s.example>"
    parts = [part for part in back.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert parts[0].get_content().replace("\r\n", "\n") == first
    assert parts[1].get_content().replace("\r\n", "\n") == second
    assert "[[" not in first + second


def test_a_picture_that_changes_changes_its_mail_as_in_a_clean_build(small: Write, tmp_path: Path) -> None:
    content = small({"newsletter/summer.md": ISSUE + "![Dot](dot.png)\n"})

    def width(out: str, cache: Path | None) -> list[str]:
        binding.build(content, SITE, tmp_path / out, now=NOW, url=URL, jobs=1, cache=cache)
        return re.findall(
            r'width="(\d+)" style="max', (tmp_path / out / "mails/summer/mail.html").read_text()
        )

    (content / "newsletter/dot.png").write_bytes(picture(40, 40))
    assert width("dist", tmp_path / "cache") == ["40"]
    (content / "newsletter/dot.png").write_bytes(picture(300, 40))
    assert width("dist", tmp_path / "cache") == width("clean", None) == ["300"]


def test_a_link_within_an_issue_leads_to_its_page_in_the_mail_and_a_note_stays() -> None:
    html = render.fragment("[Down](#news) and a note[^1].\n\n[^1]: Here.", SITE)
    told = styled.absolute(html, URL, "newsletter/summer/")
    assert Read(told).links() == [f"{URL}newsletter/summer/#news", "#fn:1", "#fnref:1"]


@settings(max_examples=40)
@given(st.text("日本é& <", min_size=1, max_size=8), st.integers(1, 600))
def test_lines_are_short_in_languages_without_spaces_too_and_no_word_changes(part: str, times: int) -> None:
    text = part * times
    look = styled.Styled(site_url=URL, light="", dark="", width_of=lambda _: None)
    html = f"<p>{escape(text)}</p>"
    made = look.inlined(f"<!doctype html><html><head><title>T</title></head><body>{html}</body></html>")
    assert max(len(line.encode()) for line in made.split("\n")) <= 998
    assert "".join(Read(made).words) == "".join(text.split())


def test_an_edit_makes_the_mails_of_its_own_issue_again_and_equals_a_clean_build(
    small: Write, tmp_path: Path
) -> None:
    content = small({"newsletter/summer.md": ISSUE + "{{ releases_since_last }}\n"})

    def build(out: str, **options: Any) -> binding.Built:
        return binding.build(content, SITE, tmp_path / out, now=NOW, url=URL, jobs=1, **options)

    build("dist", cache=tmp_path / "cache")
    path = content / "releases/works/2.1.md"
    path.write_text(
        "---\nversion: 2.1\nreleased: 2025-04-01\nkind: update\nof: 2.0\nsummary: New one.\n---\n"
    )
    done = build("dist", cache=tmp_path / "cache")
    assert sorted(one for one in done.written if one.startswith("mails/")) == [
        "mails/summer/mail.html",
        "mails/summer/text.txt",
    ]
    assert "newsletter/summer/" in done.rendered
    build("clean", cache=None)
    for made in sorted((tmp_path / "clean").rglob("*")):
        if made.is_file() and made.name != "manifest.json":
            assert (
                made.read_bytes() == (tmp_path / "dist" / made.relative_to(tmp_path / "clean")).read_bytes()
            )


def test_a_page_that_uses_a_value_of_the_policy_follows_it(small: Write, tmp_path: Path) -> None:
    """Its own file did not change."""
    content = small({"help/start.md": "---\ntitle: Start\n---\nFor {{ rules.renewal }}.\n"})
    for renewal in ("1 year", "2 years"):
        path = content / "policy/support.md"
        path.write_text(re.sub(r"renewal: .*", f"renewal: {renewal}", path.read_text("utf-8")), "utf-8")
        binding.build(content, SITE, tmp_path / "dist", now=NOW, jobs=1, cache=tmp_path / "cache")
        assert f"For {renewal}." in (tmp_path / "dist/public/help/start/index.html").read_text("utf-8")


def test_the_mail_of_every_issue_of_the_site_holds_each_link_of_its_body(tmp_path: Path) -> None:
    binding.build(ROOT / "content", SITE, tmp_path, now=NOW, jobs=1, cache=None)
    issues = sorted((tmp_path / "mails").iterdir())
    assert len(issues) >= 6
    for folder in issues:
        body = (ROOT / "content/newsletter" / f"{folder.name}.md").read_text("utf-8")
        text = (folder / "text.txt").read_text("utf-8")
        assert len(re.findall(r"\]\([^)]+\)", body)) <= len(re.findall(r"<https?://[^>]+>", text))
        assert "](" not in text
        assert "**" not in text
