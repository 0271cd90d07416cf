"""What is stated as true is evidenced, and all else says that it is a sample.

The lists here are the evidence as far as this repository may use it. A page that states more fails.
"""

from __future__ import annotations

import re
from typing import Any

TRUE_RELEASES = {"cityworks/15.8.9", "cityworks/23.10"}

# Pages without a sample mark: true of the vendor, with their sources, or true of this site itself.
NOT_SAMPLES = {
    "about.md",
    "defects/CVE-2025-0994.md",
    "defects/index.md",
    "events/index.md",
    "help/back-up-the-desk.md",
    "help/check-a-download.md",
    "help/download-a-release.md",
    "help/feeds-and-calendars.md",
    "help/index.md",
    "help/known-issues.md",
    "help/life-cycle.md",
    "help/hold-back.md",
    "help/write-a-newsletter.md",
    "help/import-an-archive.md",
    "help/keep-agreements.md",
    "help/keep-the-support-policy.md",
    "help/publish-a-paper.md",
    "help/rename-or-bury-a-page.md",
    "help/sign-in.md",
    "help/run-the-desk-on-aws.md",
    "help/send-notices.md",
    "help/send-the-newsletter.md",
    "help/subscribe.md",
    "help/tell-everybody.md",
    "help/who-has-signed-in.md",
    "help/work-with-tickets.md",
    "help/writing-a-release-note.md",
    "help/your-ticket.md",
    "newsletter/index.md",
    "help/papers-as-pdf.md",
    "papers/index.md",
    "policy/promises.md",
    "releases/cityworks/15.8.9.md",
    "releases/cityworks/23.10.md",
    "releases/cityworks/index.md",
    "releases/index.md",
}

SOURCED = ("defects/CVE-2025-0994.md", "releases/cityworks/15.8.9.md", "releases/cityworks/23.10.md")

EVIDENCED_DAYS = {
    "January 28, 2025",
    "January 29, 2025",
    "February 5, 2025",
    "February 6, 2025",
    "February 7, 2025",
    "February 11, 2025",
    "February 28, 2025",
}
# Scores, weakness, advisory, the CVE itself, and version numbers that are documented with it.
EVIDENCED_NUMBERS = {
    *("2025-0994", "25-037-04", "502", "4.0", "8.6", "3.1", "7.2"),
    *("15", "15.8", "15.8.9", "23", "23.", "23.4", "23.10"),
    *("7", "10", "2016", "2019", "2022", "64", "10.9.1", "11."),  # ASP.NET 7, IIS 10, Windows, x64, 11.x
}


def test_only_the_two_releases_with_known_dates_are_not_samples(releases: dict[str, Any]) -> None:
    true = {name for name, text in releases.items() if text.front.get("sample") != "true"}
    assert true == TRUE_RELEASES
    assert releases["cityworks/15.8.9"].front["released"] == "2025-01-28"
    assert releases["cityworks/23.10"].front["released"] == "2025-01-29"


def test_every_page_that_is_not_listed_as_true_is_marked_and_says_what_is_sample(
    texts: dict[str, Any],
) -> None:
    unmarked = {path for path, text in texts.items() if text.front.get("sample") != "true"}
    assert unmarked == NOT_SAMPLES
    silent = [path for path in texts if path not in NOT_SAMPLES and not texts[path].front.get("sample_note")]
    assert silent == []


def test_sourced_pages_name_their_sources_and_no_file(texts: dict[str, Any]) -> None:
    for path in SOURCED:
        body = texts[path].body
        assert "## Sources" in body, path
        assert "https://www.cisa.gov/news-events/ics-advisories/icsa-25-037-04" in body, path
        assert "https://www.cve.org/CVERecord?id=CVE-2025-0994" in body, path
        assert "files" not in texts[path].front, path


def test_sourced_pages_state_no_day_and_no_number_beyond_the_evidence(texts: dict[str, Any]) -> None:
    month = "January|February|March|April|May|June|July|August|September|October|November|December"
    for path in SOURCED:
        body = re.sub(r"\]\([^)]*\)|^\d\. ", "]", texts[path].body, flags=re.MULTILINE)
        days = set(re.findall(rf"(?:{month}) \d{{1,2}}, \d{{4}}", body))
        assert days <= EVIDENCED_DAYS, path
        rest = re.sub(rf"(?:{month}) \d{{1,2}}, \d{{4}}|`[^`]*`", "", body)
        assert set(re.findall(r"\d[\d.-]*\d\.?|\d", rest)) <= (
            EVIDENCED_NUMBERS | {number + "." for number in EVIDENCED_NUMBERS}
        ), path


def test_the_fix_of_the_cve_has_one_id_on_both_lines(releases: dict[str, Any], texts: dict[str, Any]) -> None:
    for name in sorted(TRUE_RELEASES):
        assert releases[name].front["security"] == ["CVE-2025-0994"]
        assert releases[name].body.count("\n- CVE-2025-0994: ") == 1
    defect = texts["defects/CVE-2025-0994.md"].front
    assert defect["state"] == "fixed"
    affected = {
        name.partition("/")[2]
        for name, text in releases.items()
        if name.startswith("cityworks/")
        and text.front["released"] < releases[f"cityworks/{_fix_of(text)}"].front["released"]
    }
    assert set(defect["found_in"]) == affected


def _fix_of(text: Any) -> str:
    return {"15": "15.8.9", "23": "23.10"}[text.front["line"]]


def test_no_sample_release_claims_a_cve(releases: dict[str, Any]) -> None:
    claims = [
        name for name, text in releases.items() if "security" in text.front or "## Security" in text.body
    ]
    assert set(claims) == TRUE_RELEASES


def test_documented_requirements_stand_where_they_are_documented(releases: dict[str, Any]) -> None:
    def page(version: str) -> str:
        return " ".join(releases[f"cityworks/{version}"].body.split())

    assert "ASP.NET 7 core hosting bundle" in page("23")
    assert "IIS 10 on Windows Server 2016, 2019 or 2022" in page("23")
    assert "reset their password at their first sign-in to 23.x" in page("23")
    assert ".NET Desktop Runtime, x64" in page("23.4")
    assert "ArcGIS Online, or ArcGIS Enterprise 10.9.1 or 11.x" in page("23.4")
    assert "up to 11.4" in page("23.11") and "11.5" not in page("23.11")
    assert "up to 11.5" in page("23.12")
    assert "up to 11.5" in page("23.14.1")
    assert "`iisreset`" in page("15.8.8") and "folder with the date in its name" in page("15.8.8")


def test_nobody_can_be_reached_by_accident(texts: dict[str, Any]) -> None:
    everything = "\n".join(f"{text.front}\n{text.body}" for text in texts.values())
    phones = set(re.findall(r"\b\d{3}-\d{3}-\d{4}\b|\b\d{3}-\d{4}\b(?!-)", everything))
    assert phones == {"801-555-0142"}  # 555-0100 to 555-0199 are reserved for examples
    mails = re.findall(r"[\w.+-]+@[\w.-]*\w", everything)
    assert mails and all(mail.endswith(".example") for mail in mails)


def test_links_leave_the_site_only_for_the_sources(texts: dict[str, Any]) -> None:
    hosts = {
        host
        for text in texts.values()
        for host in re.findall(r"https?://([\w.-]+)", f"{text.front} {text.body}")
    }
    assert hosts == {"azteca.example", "www.cisa.gov", "www.cve.org", "localhost"}


def test_authors_of_sample_papers_are_plainly_samples(texts: dict[str, Any]) -> None:
    names = {a["name"] for text in texts.values() for a in text.front.get("authors", [])}
    assert names == {"Sample Author", "Second Sample Author", "Third Sample Author"}
