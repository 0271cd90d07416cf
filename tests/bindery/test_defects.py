"""The life of a defect: what it affects, what fixes it, and that page, feed and catalog say the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import feedparser
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bindery import binding, kinds, lives, memory, render, source, support
from bindery.cli import main
from bindery.library import Library
from bindery.outputs import catalog, feeds
from bindery.outputs.pages import PagePlan, plan

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "https://support.example/"
Changes = dict[str, str | None]
Shelve = Callable[..., Library]


def release(version: str, day: str, *, of: str = "", line: str = "", notes: str = "", more: str = "") -> str:
    kind = f"update\nof: {of}" if of else "version"
    return (
        f"---\nversion: {version}\nreleased: {day}\nkind: {kind}\n"
        f"{f'line: {line}{chr(10)}' if line else ''}{more}---\n\n{notes}"
    )


def defect(found_in: str, more: str = "", body: str = "More of it.\n", title: str = "A fault") -> str:
    return f"---\ntitle: {title}\nproduct: works\nfound_in: [{found_in}]\n{more}---\n\n{body}"


FIX = "## Fixed\n\n- WK-7: It works again.\n"
# Two lines that live at one time, as those of Cityworks do; the fix is in both.
TWO_LINES: Changes = {
    "releases/works/1.0.md": release("1.0", "2023-01-01", line="1"),
    "releases/works/1.1.md": release("1.1", "2023-06-01", of="1.0", line="1"),
    "releases/works/1.2.md": release("1.2", "2024-06-01", of="1.0", line="1", notes=FIX),
    "releases/works/2.0.md": release("2.0", "2023-03-01", line="2"),
    "releases/works/2.1.md": release("2.1", "2024-03-01", of="2.0", line="2"),
    "releases/works/2.2.md": release("2.2", "2024-07-01", of="2.0", line="2"),
    "newsletter/spring.md": None,
    "defects/WK-7.md": defect("1.1, 2.0", "workaround: Wait.\n"),
}


def plans(library: Library) -> dict[str, PagePlan]:
    answers, known = support.answers(library), support.known_issues(library)
    made = plan(
        library, answers, known, render.templates(SITE), URL, html_of=lambda text: render.fragment(text, SITE)
    )
    return {one.url: one for one in made}


def known_issues(library: Library) -> dict[str, dict[str, list[dict[str, object]]]]:
    """What the catalog says."""
    ((_, text),) = catalog.outputs(
        library, support.answers(library), support.known_issues(library), lambda _: {}
    )
    found: dict[str, dict[str, list[dict[str, object]]]] = json.loads(text)["known_issues"]
    return found


def life(library: Library, defect_id: str) -> lives.Life:
    return lives.lives(library, support.known_issues(library))[defect_id]


def versions(releases: tuple[object, ...]) -> list[str]:
    return [release.version for release in releases]  # type: ignore[attr-defined]


def test_a_fix_on_one_line_leaves_the_defect_open_on_the_other(shelved: Shelve) -> None:
    found = life(shelved(TWO_LINES), "WK-7")
    assert found.state == "partly fixed"
    assert [
        (
            line.line,
            versions(line.affected),
            [fix.release.version for fix in line.first],
            versions(line.still),
        )
        for line in found.lines
    ] == [("1", ["1.1"], ["1.2"], []), ("2", ["2.0", "2.1", "2.2"], [], ["2.2"])]


def test_a_fix_brought_back_to_an_older_line_counts_on_that_line(shelved: Shelve) -> None:
    back_ported = {"releases/works/2.2.md": release("2.2", "2024-07-01", of="2.0", line="2", notes=FIX)}
    found = life(shelved(TWO_LINES | back_ported), "WK-7")
    assert found.state == "fixed"
    assert [(line.line, [fix.release.version for fix in line.fixes]) for line in found.lines] == [
        ("1", ["1.2"]),
        ("2", ["2.2"]),
    ]


def test_a_release_that_says_a_fix_again_is_no_first_fix(shelved: Shelve) -> None:
    again = {"releases/works/1.3.md": release("1.3", "2024-09-01", of="1.0", line="1", notes=FIX)}
    found = life(shelved(TWO_LINES | again), "WK-7")
    assert [fix.release.version for fix in found.lines[0].fixes] == ["1.2", "1.3"]
    assert [fix.release.version for fix in found.lines[0].first] == ["1.2"]


def test_a_release_may_be_without_a_defect_that_nobody_fixed(shelved: Shelve) -> None:
    gone = {"defects/WK-7.md": defect("1.1, 2.0", "state: will not be fixed\nnot_in: [2.1]\n")}
    found = life(shelved(TWO_LINES | gone), "WK-7")
    assert found.state == "will not be fixed"
    assert versions(found.affected) == ["1.1", "2.0"]


def test_a_known_issue_of_the_notes_counts_as_found_there(shelved: Shelve) -> None:
    notes = release("2.1", "2024-03-01", of="2.0", line="2", notes="## Known issues\n\n- WK-7: Slow.\n")
    changes = TWO_LINES | {"defects/WK-7.md": defect("1.1"), "releases/works/2.1.md": notes}
    assert versions(life(shelved(changes), "WK-7").affected) == ["1.1", "2.1", "2.2"]


def test_a_duplicate_counts_as_what_it_is_the_same_as(shelved: Shelve) -> None:
    changes = TWO_LINES | {
        "defects/WK-7.md": defect("2.1"),
        "defects/WK-9.md": defect("1.0", "duplicate_of: WK-7\n"),
        "releases/works/2.2.md": release(
            "2.2", "2024-07-01", of="2.0", line="2", notes="## Fixed\n\n- WK-9: Works.\n"
        ),
    }
    library = shelved(changes)
    found = life(library, "WK-7")
    assert versions(found.affected) == ["1.0", "1.1", "2.1"]
    assert [fix.release.version for fix in found.fixes] == ["1.2", "2.2"]
    assert life(library, "WK-9").state == "duplicate"
    assert {issue.id for issues in support.known_issues(library).values() for issue in issues} == {"WK-7"}


def test_what_works_as_designed_is_no_known_issue(shelved: Shelve) -> None:
    changes = TWO_LINES | {
        "releases/works/1.2.md": release("1.2", "2024-06-01", of="1.0", line="1"),
        "defects/WK-7.md": defect("1.1", "state: as designed\n"),
    }
    library = shelved(changes)
    assert life(library, "WK-7").state == "as designed"
    assert not any(support.known_issues(library).values())


@st.composite
def histories(draw: st.DrawFn) -> dict[str, str]:
    """Releases of one product on two lines, and a defect that some have and some fix."""
    count = draw(st.integers(2, 9))
    texts = {}
    tops: dict[str, str] = {}
    found = []
    for number in range(count):
        line = draw(st.sampled_from("12"))
        day = str(date(2020, 2, 29) + timedelta(days=number))
        update = line in tops and draw(st.booleans())
        notes = FIX if draw(st.integers(0, 3)) == 0 else ""
        version = f"0.{number}"
        of = tops[line] if update else ""
        texts[f"releases/works/{version}.md"] = release(version, day, of=of, line=line, notes=notes)
        if not update:
            tops[line] = version
        if draw(st.booleans()):
            found.append(version)
    texts["defects/WK-7.md"] = defect(", ".join(found or ["0.0"]))
    return texts


def read(texts: dict[str, str]) -> Library:
    problems: list[source.Problem] = []
    every = {"index.md": (ROOT / "content/index.md").read_text(), **texts}
    items = [kinds.parse(source.parse(text, path), problems) for path, text in sorted(every.items())]
    assert problems == []
    return Library(items=tuple(item for item in items if item), attached=(), content=ROOT)


@given(histories())
def test_a_release_has_what_it_builds_on_until_one_is_without_it(texts: dict[str, str]) -> None:
    library = read(texts)
    page = library.defect("WK-7")
    assert page
    expected = []
    for one in library.releases:
        has = False
        for before in reversed(library.contains(one)):
            has = (has or before.version in page.found_in) and not library.fixes["works", before.version]
        if has:
            expected.append(one.version)
    known = support.known_issues(library)
    assert sorted(versions(life(library, "WK-7").affected)) == sorted(expected)
    assert sorted(version for (_, version), issues in known.items() if issues) == sorted(expected)


def test_the_pages_of_releases_the_defects_page_and_the_catalog_agree() -> None:
    library = binding.check(ROOT / "content", now=NOW)
    pages = plans(library)
    told = known_issues(library)
    every = lives.lives(library, support.known_issues(library))
    assert len(every) > 4
    for one in library.releases:
        text = pages[one.url].text()
        section = text.partition("{: #known }")[2].partition("\n## ")[0]
        shown = re.findall(r'<a class="list__title" href="[^"]*">([^:]+): ', section)
        in_catalog = [str(issue["id"]) for issue in told[one.product].get(one.version, [])]
        assert sorted(shown) == sorted(in_catalog), one.path
        in_lives = [name for name, found in every.items() if one in found.affected]
        assert sorted(name for name in in_catalog if name in every) == sorted(in_lives)
    for name, found in every.items():
        table = pages[f"defects/{name}/"].text().partition("{: #releases }")[2].partition("</table>")[0]
        has = re.findall(r'data-label="Has it">(.*?)</td>', table)
        shown = re.findall(r">([^<]+)</a>", " ".join(has))
        assert shown == versions(found.affected)[: len(shown)], name
        assert len(shown) == len(found.affected), name


def test_a_defects_page_tells_its_lines_and_leads_to_what_the_notes_say(shelved: Shelve) -> None:
    text = plans(shelved(TWO_LINES))["defects/WK-7/"].text()
    assert '<span class="chip chip--open">Fixed in part</span>' in text
    assert '<th scope="row">Line 2</th>' in text and "No release yet" in text
    assert '<li><a href="/releases/works/1.2/#WK-7">1.2</a>: It works again.</li>' in text


def test_of_many_affected_releases_a_page_names_the_first_and_the_last(shelved: Shelve) -> None:
    many: Changes = {
        f"releases/works/2.0.{number}.md": release(f"2.0.{number}", "2025-03-01", of="2.0")
        for number in range(1, 31)
    }
    library = shelved(many | {"defects/WK-7.md": defect("2.0"), "newsletter/spring.md": None})
    text = plans(library)["defects/WK-7/"].text()
    cell = text.partition('data-label="Has it"')[2].partition("</td>")[0]
    assert re.findall(r">([\d.]+)</a>", cell) == ["2.0", *(f"2.0.{n}" for n in range(1, 7)), "2.0.30"]
    assert "and 23 more up to " in cell


def test_an_entry_can_be_pointed_at_and_code_is_left_alone(shelved: Shelve) -> None:
    notes = (
        "## Fixed\n\n- WK-7: One.\n- WK-8: Two.\n\n```\n- WK-7: not this\n```\n\n"
        "## Known issues\n\n- WK-8: Two again.\n"
    )
    changes = TWO_LINES | {
        "releases/works/1.2.md": release("1.2", "2024-06-01", of="1.0", line="1", notes=notes)
    }
    library = shelved(changes)
    one = library.release("works", "1.2")
    assert one
    html = render.fragment(plans(library)[one.url].text().split("---", 2)[2], SITE)
    assert html.count('id="WK-7"') == 1 and html.count('id="WK-8"') == 1
    assert '<a href="/defects/WK-7/" id="WK-7">WK-7</a>: One.' in html
    assert "- WK-7: not this" in html


def test_a_new_fix_changes_only_pages_that_show_it(shelved: Shelve) -> None:
    before = plans(shelved(TWO_LINES))
    fixed = {"releases/works/2.2.md": release("2.2", "2024-07-01", of="2.0", line="2", notes=FIX)}
    after = plans(shelved(TWO_LINES | fixed))
    changed = {url for url in before if before[url].key != after[url].key}
    assert {url for url in changed if not url.startswith("upgrade/")} == {
        "defects/",
        "defects/WK-7/",
        "releases/works/1.1/",  # they have it, so they say what fixes it
        "releases/works/2.0/",
        "releases/works/2.1/",
        "releases/works/2.2/",
    }


def test_an_edit_of_a_defects_text_makes_no_page_of_a_release_again(shelved: Shelve) -> None:
    before = plans(shelved(TWO_LINES))
    longer = {"defects/WK-7.md": defect("1.1, 2.0", "workaround: Wait.\n", "Much more of it.\n")}
    after = plans(shelved(TWO_LINES | longer))
    assert {url for url in before if before[url].key != after[url].key} == {"defects/WK-7/"}


def test_a_list_of_known_issues_on_a_release_ends_with_a_link(shelved: Shelve) -> None:
    many: Changes = {f"defects/WK-{number}.md": defect("2.0") for number in range(100, 130)}
    text = plans(shelved(many))["releases/works/2.0/"].text()
    assert text.count('<a class="list__title" href="/defects/WK-') == 25
    assert '<p>And 5 more: <a href="/defects/">every known issue</a>.</p>' in text
    assert '<a href="#known">30 in this release</a>' in text


def test_every_cve_is_listed_with_what_fixes_it_on_each_line(shelved: Shelve) -> None:
    cve = (
        "date: 2024-05-05\ncve: [CVE-2024-12345]\ncwe: [CWE-79]\ncvss:\n"
        "  - {version: 3.1, score: 9.8, vector: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H}\n"
    )
    changes = TWO_LINES | {
        "defects/WK-7.md": defect("1.1, 2.0", cve),
        "releases/works/2.2.md": release(
            "2.2", "2024-07-01", of="2.0", line="2", more="security: [CVE-2023-1000]\n"
        ),
    }
    text = plans(shelved(changes))["defects/security/"].text()
    rows = re.findall(r'<tr id="([^"]+)">', text)
    assert rows == ["CVE-2024-12345-works", "CVE-2023-1000-works"]
    first, second = (text.partition(f'<tr id="{row}">')[2].partition("</tr>")[0] for row in rows)
    assert "Critical, CVSS 3.1: 9.8" in first and 'href="/defects/WK-7/"' in first
    assert 'Line 1: <a href="/releases/works/1.2/#WK-7">1.2</a>' in first
    assert 'href="https://www.cve.org/CVERecord?id=CVE-2023-1000"' in second
    assert '<a href="/releases/works/2.2/">2.2</a>' in second


def test_of_many_cves_each_year_has_a_page(shelved: Shelve) -> None:
    many: Changes = {
        f"defects/WK-{number}.md": defect("2.0", f"cve: [CVE-{2020 + number % 3}-{1000 + number}]\n")
        for number in range(100, 202)
    }
    pages = plans(shelved(many))
    assert [url for url in pages if url.startswith("defects/security/")] == [
        "defects/security/",
        "defects/security/2020/",
        "defects/security/2021/",
        "defects/security/2022/",
    ]
    assert (
        '<a href="/defects/security/2021/">2021 <small>(34)</small></a>' in pages["defects/security/"].text()
    )
    assert pages["defects/security/2021/"].text().count("<tr id=") == 34


def test_a_known_issue_of_the_notes_alone_is_told_in_plain_words_and_leads_there(
    shelved: Shelve,
) -> None:
    notes = (
        "## Known issues\n\n- WK-9: The `<b>` of [1.0](1.0.md) is *slow* for {{ rules.renewal }}; "
        "see `[x](y)`.\n"
    )
    one = release("2.2", "2024-07-01", of="2.0", notes=notes)
    library = shelved(TWO_LINES | {"releases/works/2.2.md": one})
    (_, issue) = known_issues(library)["works"]["2.2"]
    assert issue["title"] == "The <b> of 1.0 is slow for 1 year; see [x](y)."
    assert issue["url"] == "/releases/works/2.2/#WK-9"
    page = plans(library)["releases/works/2.2/"].text()
    assert ('href="/releases/works/2.2/#WK-9">WK-9: The &lt;b&gt; of 1.0 is slow for 1 year') in page


# Feed


def entries(library: Library) -> list[feedparser.FeedParserDict]:
    bodies = memory.Bodies(library, None, SITE, "", lambda body: render.fragment(body, SITE))
    answers, known = support.answers(library), support.known_issues(library)
    environment = binding._templates(SITE)
    made = feeds.plans(
        library,
        answers,
        known,
        site_url=URL,
        bodies=bodies,
        render=lambda name, values: str(environment.get_template(name).render(values)),
    )
    (text,) = [one.text() for one in made if one.path == "feeds/defects.atom"]
    parsed = feedparser.parse(text.encode())
    assert not parsed.bozo
    return list(parsed.entries)


def test_a_defect_is_told_once_and_its_entry_changes_when_it_is_fixed(shelved: Shelve) -> None:
    unfixed = {"releases/works/1.2.md": release("1.2", "2024-06-01", of="1.0", line="1")}
    (before,) = entries(shelved(TWO_LINES | unfixed))
    (after,) = entries(shelved(TWO_LINES))
    assert before.id == after.id == "tag:www.example.com,2026:WK-7"
    assert before.published == after.published == "2023-06-01T00:00:00-06:00"
    assert (before.updated, after.updated) == (before.published, "2024-06-01T00:00:00-06:00")
    assert "No release fixes it yet." in before.content[0].value
    assert f'<a href="{URL}releases/works/1.2/#WK-7">Works 1.2</a>' in after.content[0].value
    assert "What helps until it is fixed: Wait." in after.content[0].value
    assert "More of it." in after.content[0].value
    assert [tag.term for tag in after.tags] == ["Works", "known issue", "partly fixed"]


# Embargo: a fix that is not out yet changes nothing that readers see


def test_a_fix_under_embargo_changes_nothing_before_its_instant(shelved: Shelve) -> None:
    instant = datetime(2026, 12, 1, 15, tzinfo=UTC)
    hidden = release(
        "2.3", "2026-12-01", of="2.0", line="2", notes=FIX, more="publish_at: 2026-12-01T08:00:00-07:00\n"
    )
    before = shelved(TWO_LINES | {"releases/works/2.3.md": None})
    changes = TWO_LINES | {"releases/works/2.3.md": hidden}
    embargoed = shelved(changes, now=instant - timedelta(seconds=1))
    assert {url: made.key for url, made in plans(embargoed).items()} == {
        url: made.key for url, made in plans(before).items()
    }
    assert known_issues(embargoed) == known_issues(before)
    assert entries(embargoed) == entries(before)
    assert life(embargoed, "WK-7").state == "partly fixed"
    due = shelved(changes, now=instant)
    assert life(due, "WK-7").state == "fixed"
    assert entries(due)[0].updated == "2026-12-01T08:00:00-07:00"


# Checks


NOTES_OF_ANOTHER = {
    "releases/maps/index.md": "---\nname: Maps\n---\n",
    "releases/maps/1.0.md": release("1.0", "2024-01-01", notes="## Fixed\n\n- WK-7: Works.\n"),
}
WRONG: list[tuple[Changes, list[str]]] = [
    (
        {"defects/WK-7.md": defect("1.3, 2.0", "not_in: [2.2, 9.9]\n")},
        [
            "defects/WK-7.md:4: 'found_in' must be releases of works such as 1.0, 1.1, 1.2, not '1.3'",
            "defects/WK-7.md:5: 'not_in' must be releases of works such as 2.1, 1.2, 2.2, not '9.9'",
        ],
    ),
    (
        {"defects/WK-7.md": defect("1.1, 1.2")},
        [
            "defects/WK-7.md:4: 'found_in' must be releases from before the fix, not '1.2': it fixes WK-7 "
            "(releases/works/1.2.md:11); what comes back is a new defect"
        ],
    ),
    (
        {
            "releases/works/1.3.md": release("1.3", "2024-09-01", of="1.0", line="1"),
            "defects/WK-7.md": defect("1.1, 1.3"),
        },
        [
            "defects/WK-7.md:4: 'found_in' must be releases from before the fix, not '1.3': 1.2, which "
            "it builds "
            "on, fixes WK-7 (releases/works/1.2.md:11); what comes back is a new defect"
        ],
    ),
    (
        {"defects/WK-7.md": defect("2.0", "not_in: [1.1]\n")},
        [
            "defects/WK-7.md:5: 'not_in' must be releases that build on one of 'found_in', such as "
            "those after "
            "2.0, not '1.1'"
        ],
    ),
    (
        {"defects/WK-8.md": defect("2.0", "duplicate_of: WK-6\n")},
        ["defects/WK-8.md:5: 'duplicate_of' must be a defect such as WK-7, not 'WK-6'"],
    ),
    (
        {
            "defects/WK-8.md": defect("2.0", "duplicate_of: WK-7\n"),
            "defects/WK-9.md": defect("2.0", "duplicate_of: WK-8\n"),
        },
        [
            "defects/WK-9.md:5: 'duplicate_of' must be a defect that is no duplicate itself such as WK-7, "
            "not 'WK-8'"
        ],
    ),
    (
        {"defects/WK-8.md": defect("2.0", "state: open\nduplicate_of: WK-8\n")},
        [
            "defects/WK-8.md:6: 'duplicate_of' must be the id of another defect such as CW-1234, not 'WK-8', "
            "this one",
            "defects/WK-8.md:5: 'state' must be left out beside 'duplicate_of': it is that of the other",
        ],
    ),
    (
        {"defects/WK-8.md": defect("2.0", "state: fixed\n")},
        [
            "defects/WK-8.md:5: 'state' must be left out, since it follows from the notes, or agree "
            "with them "
            "such as open: no release has an entry 'WK-8: …' below Fixed or Security; not 'fixed'"
        ],
    ),
    (
        {"defects/WK-7.md": defect("1.1", "state: open\n")},
        [
            "defects/WK-7.md:5: 'state' must be left out, since it follows from the notes, or agree "
            "with them "
            "such as fixed (releases/works/1.2.md:11), not 'open'"
        ],
    ),
    (
        {"defects/WK-7.md": defect("1.1", "state: as designed\n")},
        [
            "defects/WK-7.md:5: 'state' must agree with the notes such as fixed, since "
            "releases/works/1.2.md:11 "
            "fixes it, not 'as designed'"
        ],
    ),
    (
        {
            "defects/WK-7.md": defect("1.1", "cve: [CVE-2024-12345]\n"),
            "defects/WK-8.md": defect("2.0", "cve: [CVE-2024-12345]\n"),
        },
        [
            "defects/WK-8.md:5: 'cve' must be told by one page, defects/WK-7.md has it; say "
            "'duplicate_of: WK-7' "
            "if it is the same, not 'CVE-2024-12345'"
        ],
    ),
    (
        NOTES_OF_ANOTHER,
        [
            "releases/maps/1.0.md:9: entry 'WK-7' must stand in the notes of works, as defects/WK-7.md "
            "says, not in "
            "those of maps"
        ],
    ),
    (
        {
            "defects/WK-8.md": defect("2.0", "cve: [CVE-2024-12345, CVE-2024-54321]\n"),
            "releases/works/2.2.md": release(
                "2.2",
                "2024-07-01",
                of="2.0",
                line="2",
                notes="## Security\n\n- CVE-2024-12345: Mended.\n",
                more="security: [CVE-2024-12345, CVE-2024-54321]\n",
            ),
        },
        [
            "releases/works/2.2.md:12: entry 'CVE-2024-12345' must be told under the id of its page such as "
            "'WK-8: …', defects/WK-8.md is about it",
            "releases/works/2.2.md:7: 'security' must be told in the notes too, such as '- WK-8: …' below "
            "Security, defects/WK-8.md is about it, not 'CVE-2024-54321'",
        ],
    ),
    (
        {
            "defects/WK-8.md": defect(
                "2.0",
                "cve: [CVE-24-1]\ncwe: [502]\ncvss:\n  - {version: 4.1, score: 11}\n"
                "  - {version: 3.1, score: 7.2, vector: AV:N}\n",
            )
        },
        [
            "defects/WK-8.md:5: 'cve' must be a list of CVE ids such as CVE-2025-0994, not 'CVE-24-1'",
            "defects/WK-8.md:6: 'cwe' must be a list of CWE ids such as CWE-502, not '502'",
            "defects/WK-8.md:8: 'cvss[1].version' must be one of 2.0, 3.0, 3.1, 4.0 such as 4.0, not '4.1'",
            "defects/WK-8.md:8: 'cvss[1].score' must be a score from 0.0 to 10.0 such as 8.6, not '11'",
            "defects/WK-8.md:9: 'cvss[2].vector' must be a vector of CVSS 3.1 with all its base "
            "metrics in order "
            "such as CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H, not 'AV:N'",
        ],
    ),
]


@pytest.mark.parametrize(("changes", "told"), WRONG)
def test_what_does_not_agree_is_told_with_its_place(
    small: Callable[..., Path], changes: Changes, told: list[str]
) -> None:
    content = small(TWO_LINES | changes)
    result = CliRunner().invoke(main, ["check", "--content", str(content)])
    lines = [line.removeprefix(f"{content}/") for line in result.stderr.splitlines()[:-1]]
    assert sorted(lines) == sorted(told)
    assert result.exit_code == 1


def test_a_written_state_that_agrees_is_no_problem(shelved: Shelve) -> None:
    for state in ("open", "fixed", "will not be fixed"):
        shelved(TWO_LINES | {"defects/WK-7.md": defect("1.1, 2.0", f"state: {state}\n")})


def test_a_draft_of_a_fix_does_not_contradict_an_open_page(shelved: Shelve) -> None:
    notes = release("1.2", "2024-06-01", of="1.0", line="1", notes=FIX, more="draft: true\n")
    library = shelved(
        TWO_LINES | {"releases/works/1.2.md": notes, "defects/WK-7.md": defect("1.1", "state: open\n")}
    )
    assert life(library, "WK-7").state == "open"


# The command


def test_the_command_says_what_has_it_what_fixes_it_and_why(small: Callable[..., Path]) -> None:
    content = small(TWO_LINES)
    result = CliRunner().invoke(main, ["defect", "WK-7", "--content", str(content)])
    assert result.output.splitlines() == [
        "WK-7, Works: A fault",
        "Its state is 'partly fixed', because",
        "  - WK-7 was found in 1.1, 2.0 (defects/WK-7.md:4)",
        "  - Works 1.2, released on 2024-06-01, fixes it (releases/works/1.2.md:11)",
        "  - no release that builds on Works 2.2 is without it",
        "Works, line 1: in 1.1; without it from 1.2.",
        "Works, line 2: in 2.0, 2.1, 2.2; no release is without it.",
        "What helps until it is fixed: Wait.",
    ]
    told = json.loads(
        CliRunner().invoke(main, ["defect", "WK-7", "--content", str(content), "--json"]).output
    )
    assert told["state"] == "partly fixed"
    assert told["affects"] == ["1.1", "2.0", "2.1", "2.2"]
    assert told["lines"][0]["fixed_in"] == [
        {
            "version": "1.2",
            "released": "2024-06-01",
            "url": "/releases/works/1.2/#WK-7",
            "notes": "It works again.",
        }
    ]


def test_the_command_names_defects_that_there_are(small: Callable[..., Path]) -> None:
    content = small(TWO_LINES)
    result = CliRunner().invoke(main, ["defect", "WK-77", "--content", str(content)])
    assert result.exit_code == 1
    assert result.stderr == "Error: there must be a page of the defect such as WK-7, not 'WK-77'\n"
