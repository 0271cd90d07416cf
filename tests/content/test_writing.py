"""The form of the texts: what lists, feeds and mails need from every page."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any


def test_the_site_has_enough_of_everything(texts: dict[str, Any], releases: dict[str, Any]) -> None:
    def count(folder: str) -> int:
        return sum(path.startswith(f"{folder}/") and not path.endswith("/index.md") for path in texts)

    assert len([name for name in releases if name.startswith("cityworks/")]) >= 16
    assert {text.front.get("line") for name, text in releases.items() if name.startswith("cityworks/")} == {
        "15",
        "23",
    }
    assert count("newsletter") == 6
    assert count("papers") >= 3
    assert count("events") >= 4
    assert count("defects") >= 5
    assert count("help") >= 8


def test_every_page_has_a_summary_of_one_sentence(texts: dict[str, Any]) -> None:
    for path, text in texts.items():
        summary = text.front.get("summary", "")
        assert 20 <= len(summary) <= 160 and summary.endswith("."), path
        assert ". " not in summary, path


def test_bodies_begin_below_the_title(texts: dict[str, Any]) -> None:
    for path, text in texts.items():
        prose = re.sub(r"^```.*?^```", "", text.body, flags=re.MULTILINE | re.DOTALL)
        headings = re.findall(r"^(#+) ", prose, flags=re.MULTILINE)
        assert "#" not in headings, path
        levels = [len(mark) for mark in headings]
        steps = zip([1, *levels], levels, strict=False)
        assert all(after <= before + 1 for before, after in steps), f"{path}: a level of headings is skipped"


def test_the_policy_types_no_number_that_a_rule_holds(texts: dict[str, Any]) -> None:
    body = texts["policy/support.md"].body
    for name in ("prior_version_support", "complimentary.site", "complimentary.seat", "renewal", "grace"):
        assert f"{{{{ rules.{name} }}}}" in body
    for name in ("open", "close", "days", "time_zone"):
        assert f"{{{{ hours.{name} }}}}" in body
    for severity in ("P1", "P2", "P3", "P4"):
        assert f"{{{{ first_response.{severity} }}}}" in body
    assert re.findall(r"\d+ (?:hour|day|month|year)s?|\d\d:\d\d", body) == []


def test_an_entry_id_means_one_thing(releases: dict[str, Any]) -> None:
    """An id is made once; only a known issue and its fix, or one fix on two lines, share it."""
    told = defaultdict(list)
    for name, text in releases.items():
        section = ""
        for line in text.body.splitlines():
            if line.startswith("## "):
                section = line[3:]
            elif match := re.match(r"- ([A-Z]+(?:-\d+)+): ", line):
                told[match[1]].append((name, section))
    for fix, places in told.items():
        told_as_done = [place for place in places if place[1] != "Known issues"]
        lines = {(name.split("/")[0], releases[name].front.get("line")) for name, _ in told_as_done}
        assert len(lines) == len(told_as_done), f"{fix} is told twice on one line: {told_as_done}"
        assert len({section for _, section in told_as_done}) <= 1, f"{fix} stands in two sections"


def test_defects_and_release_notes_agree(texts: dict[str, Any], releases: dict[str, Any]) -> None:
    for path, text in texts.items():
        if not path.startswith("defects/") or path.endswith("index.md"):
            continue
        defect = path.removeprefix("defects/").removesuffix(".md")
        product = text.front["product"]
        for version in text.front["found_in"]:
            assert f"{product}/{version}" in releases, path
        fixed = [
            name
            for name, release in releases.items()
            if f"\n- {defect}: " in release.body and "Known issues" not in _section(release.body, defect)
        ]
        assert bool(fixed) == (text.front["state"] == "fixed"), path


def _section(body: str, entry: str) -> str:
    return body[: body.index(f"\n- {entry}: ")].rsplit("## ", 1)[1].split("\n", 1)[0]
