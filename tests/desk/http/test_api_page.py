"""The page about the API says what the desk declares: every address, and every limit. Its examples work."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib import bodies
from chalicelib.lookups import LINK_TIME, PAGE_TIME
from chalicelib.operations import OPERATIONS
from chalicelib.pace import POSTS, WRONG_KEYS
from chalicelib.ports.accounts import CODE_TRIES
from chalicelib.ports.accounts import LINK_TIME as SIGN_IN_TIME
from chalicelib.ports.identity import CONTENT_KEPT, KEY_KEPT
from chalicelib.ports.mails import MAIL_CAPS
from chalicelib.ports.tickets import ANNOUNCED_FOR
from chalicelib.subscriptions import CONFIRMATIONS_APART, CONFIRMATIONS_AT_MOST
from chalicelib.tickets import MAX_FILE_SIZE, MAX_FILES

PAGE = (Path(__file__).parents[3] / "content" / "help" / "use-the-api.md").read_text(encoding="utf-8")


def span(time: timedelta) -> str:
    for unit, seconds in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count, rest = divmod(int(time.total_seconds()), seconds)
        if count and not rest:
            return f"{count} {unit}" + ("s" if count > 1 else "")
    raise AssertionError(time)


def again(kept: timedelta) -> str:
    return f"the first answer again for {span(kept)}"


def addresses() -> list[str]:
    return [f"| `{one.method} {one.path}` | {one.summary} |" for one in OPERATIONS]


def limits() -> list[str]:
    caps = ", ".join(f"{most} in {span(time)}" for time, most in MAIL_CAPS)
    rows = (
        ("A request's body", bodies.LIMIT_TEXT, "413"),
        ("Its headers", "64 KB", "431"),
        ("Fields of a form", f"{bodies.MOST_FIELDS}", "400"),
        ("Characters of one field", "as `openapi.json` says", "422"),
        ("Requests that change something, from one connection or who has signed in", str(POSTS), "429"),
        ("Wrong keys from one connection", str(WRONG_KEYS.client), "429"),
        ("Wrong keys from one connection for one agreement", str(WRONG_KEYS.pair), "429"),
        ("Wrong keys for one agreement", str(WRONG_KEYS.account), "429, only for who gave one"),
        ("Files of a ticket", f"{MAX_FILES}, each of {MAX_FILE_SIZE // 1024**2} MB", "413"),
        ("Time to upload an announced file", span(ANNOUNCED_FOR), "403"),
        ("A link to a download", span(LINK_TIME), "403"),
        ("The page of a look-up", span(PAGE_TIME), "403"),
        ("A link to sign in", f"once, for {span(SIGN_IN_TIME)}, with {CODE_TRIES} tries of its code", "404"),
        (
            "The same `Idempotency-Key`",
            f"the first answer again for {span(KEY_KEPT)}",
            "422 with other content",
        ),
        ("The same content without a key", again(CONTENT_KEPT), ""),
        ("Mails to an address that nobody has proved to own", caps, "no mail"),
        (
            "Mails that ask to confirm a subscription",
            f"1 in {span(CONFIRMATIONS_APART)}, {CONFIRMATIONS_AT_MOST} in all",
            "no mail",
        ),
    )
    return [f"| {what} | {much} | {answer} |" for what, much, answer in rows]


def table(heading: str) -> list[str]:
    """The rows of the first table below a heading."""
    lines = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0].splitlines()
    return [line for line in lines if line.startswith("| ")][1:]


@pytest.mark.slow  # so that who adds an address is held up by `make test` alone
def test_the_page_lists_every_address() -> None:
    assert table("Addresses") == addresses(), "write instead:\n" + "\n".join(addresses())


def test_the_page_prints_every_limit() -> None:
    """Promise 27: limits are printed."""
    assert table("Limits") == limits(), "write instead:\n" + "\n".join(limits())


def test_the_examples_work(house: Any) -> None:
    examples = [block.split("```", 1)[0].strip() for block in PAGE.split("```sh\n")[1:]]
    said = []
    for example in examples:
        here = example.replace("http://localhost:8000", house.server.url)
        here = here.replace("cityworks", "widget").replace("15.8.9", "2.0")
        done = subprocess.run(["bash", "-c", here], capture_output=True, check=True, timeout=60)
        said.append(json.loads(done.stdout))
    assert said[0]["number"]
    assert said[1]["newest"]["version"] == "2.0"
    assert said[1]["supported"] is True
