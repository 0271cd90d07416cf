"""The policy as data: every number that is a rule comes from the rules, in sentences, tables and answers."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path

import pytest

from bindery import binding

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OTHER = {
    "prior_version_support: 12 months": "prior_version_support: 19 months",
    "complimentary: {site: 1 year, seat: 90 days}": "complimentary: {site: 3 years, seat: 45 days}",
    "renewal: 1 year": "renewal: 2 years",
    "grace: 0 days": "grace: 11 days",
    "lapsed_downloads: released while covered": "lapsed_downloads: none",
    'open: "08:00"': 'open: "07:15"',
    'close: "17:00"': 'close: "18:45"',
    "days: [Mon, Tue, Wed, Thu, Fri]": "days: [Tue, Wed, Thu]",
    "closed: []": "closed: [2026-12-24]",
    "first_response: {P1: 1 hour, P2: 4 hours, P3: 1 day, P4: 2 days}": "first_response: "
    "{P1: 7 hours, P2: 9 hours, P3: 5 days, P4: 8 days}",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site's own content with every rule changed."""
    folder = tmp_path_factory.mktemp("policy")
    shutil.copytree(ROOT / "content", folder / "content")
    path = folder / "content/policy/support.md"
    text = path.read_text("utf-8")
    for old, new in OTHER.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    binding.build(folder / "content", ROOT / "site", folder / "dist", now=NOW, cache=None)
    return folder / "dist"


def words(built: Path, page: str) -> str:
    html = (built / "public" / page / "index.html").read_text("utf-8")
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.mark.slow
def test_every_sentence_follows_the_rules(built: Path) -> None:
    policy = words(built, "policy/support")
    for told in (
        "supported for 19 months after the next version",
        "complimentary for 3 years with a site license, and for 45 days when",
        "Each renewal covers 2 years",
        "(period of grace: 11 days)",
        "We are open Tuesday to Thursday, 7:15 a.m. to 6:45 p.m. (Denver time), except",
        "Tuesday to Thursday, 7:15 a.m. to 6:45 p.m. (Denver time)",
        "7 opening hours",
        "8 business days",
    ):
        assert told in policy
    assert "(period of grace: 11 days) you can download no release." in policy
    agreement = words(built, "help/update-and-support-agreement")
    assert "Site March 1, 2026 February 28, 2029 March 1, 2029 to February 28, 2031" in agreement
    assert "Seat March 1, 2026 April 14, 2026 April 15, 2026 to April 14, 2028" in agreement
    assert "You can download no release." in agreement
    assert "for 3 years with a site license" in words(built, "help/update-and-support-agreement")
    assert "for 19 months after the next version" in words(built, "help/life-cycle")
    assert "for 19 months after the next one" in words(built, "releases/respond")
    assert "Within 7 opening hours" in words(built, "support/ticket") or "7 opening hours" in words(
        built, "support/ticket"
    )


@pytest.mark.slow
def test_no_page_keeps_a_number_of_the_old_rules(built: Path) -> None:
    stale = re.compile(
        r"12 months|90 days|grace: 0 days|Monday to Friday|8:00 a\.m\. to 5:00 p\.m\.|08:00 to 17:00|"
        r"while you were covered|February 28, 2027|last day of February|"
        r"4 opening hours"
    )
    found = {}
    for path in sorted((built / "public").rglob("index.html")):
        page = path.parent.relative_to(built / "public").as_posix()
        # What was said in an issue of the newsletter was said then; help for staff shows examples of rules.
        if not page.startswith(("newsletter/", "help/keep-the-support-policy", "feeds")) and (
            hit := stale.findall(words(built, page))
        ):
            found[page] = hit
    assert found == {}


@pytest.mark.slow
def test_the_page_lists_the_closed_days_that_the_functions_count(built: Path) -> None:
    page = words(built, "policy/support")
    catalog = json.loads((built / "public/data/catalog.json").read_text("utf-8"))
    closed = {date.fromisoformat(day): name for day, name in catalog["hours"]["closed"].items()}
    assert closed[date(2026, 12, 24)] == "Closed"
    assert closed[date(2026, 11, 26)] == "Thanksgiving Day"
    assert "November 26, 2026 : Thanksgiving Day" in page
    assert "December 24, 2026 : Closed" in page
    section = page.partition("Closed in 2026")[2]
    listed = re.findall(r"([A-Z][a-z]+ \d+, \d{4}) :", section)
    expected = [day for day in closed if day.year in (2026, 2027)]
    assert [datetime.strptime(one, "%B %d, %Y").date() for one in listed] == expected  # noqa: DTZ007
