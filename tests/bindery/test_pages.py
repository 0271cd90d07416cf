"""Plans of pages: what each shows, and that a key changes with what is shown and with nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bindery import checks, reading, render, source, support
from bindery.outputs.pages import PagePlan, plan, shelves, words
from bindery.outputs.pages.press import Row, Templates

SITE = Path(__file__).resolve().parents[2] / "site"
NOW = datetime(2026, 11, 23, tzinfo=UTC)

INDEX = """---
title: Support
summary: Help for everybody.
vendor: {name: Example Works, phone: 801-555-0142, email: help@example.com}
tasks:
  - {title: Get help, text: Send a ticket., url: /support/ticket/}
---

Welcome.
"""
POLICY = """---
title: Support policy
rules:
  - since: 1990-01-01
    prior_version_support: 12 months
    complimentary: {site: 1 year, seat: 90 days}
    renewal: 1 year
    reminders: [30]
hours: {time_zone: America/Denver, days: [Mon, Tue, Wed, Thu, Fri], open: "08:00", close: "17:00"}
first_response: {P1: 1 hour, P2: 4 hours, P3: 1 day, P4: 2 days}
mailboxes: {client_services: a@example.com, client_services_manager: a@example.com, programming: a@b.com}
---

A promise.
"""
PRODUCT = "---\nname: Works\nsummary: The product.\n---\n\nAbout it.\n"
CONTENT = {
    "index.md": INDEX,
    "about.md": "---\ntitle: About this site\n---\n\nWhat is true.\n",
    "policy/support.md": POLICY,
    "releases/works/index.md": PRODUCT,
    "releases/works/1.0.md": """---
version: "1.0"
kind: version
released: 2024-01-31
---

## New

- WK-1: First.
""",
    "releases/works/1.1.md": """---
version: "1.1"
kind: update
of: "1.0"
released: 2024-03-01
summary: Repairs the map.
security: [CVE-2024-1000]
files:
  - {name: works-1.1.zip, size: 1288490, sha256: "%s", platform: windows}
---

## Fixed

- WK-7: The map shows every street.
- WK-8: No page of its own.
"""
    % ("ab" * 32),
    "releases/works/2.0.md": """---
version: "2.0"
kind: version
released: 2025-02-28
sample: true
---

See [the first](1.0.md).
""",
    "defects/WK-7.md": """---
title: Streets are missing <from> the map
product: works
found_in: ["1.0"]
state: fixed
workaround: Zoom in.
---

More of it.
""",
    "newsletter/spring.md": "---\ntitle: Spring\ndate: 2025-04-01\n---\n\nNews.\n",
    "events/days.md": "---\ntitle: Days\nstart: 2025-05-01\nend: 2025-05-02\nplace: Sandy\n---\n\nCome.\n",
    "papers/maps.md": """---
title: On maps
authors: [{name: A. Writer, affiliation: A City}]
date: 2025-05-02
abstract: What maps are for.
event: days
features: [works/2.0]
---

## Method

Text.
""",
    "help/start.md": "---\ntitle: How to start\nsummary: Begin here.\n---\n\nPress the button.\n",
}

Make = Callable[[dict[str, str]], dict[str, PagePlan]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """The plans of a content folder, by url; changes are laid over CONTENT."""

    def made(changes: dict[str, str]) -> dict[str, PagePlan]:
        for name, text in (CONTENT | changes).items():
            path = tmp_path / "content" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        content = tmp_path / "content"
        scan = reading.read(content, source.find(content), {})
        read = checks.assemble(scan, content=content, now=NOW)
        plans = plan(
            read,
            support.answers(read),
            support.known_issues(read),
            render.templates(SITE),
            html_of=lambda text: render.fragment(text, SITE),
        )
        return {made.url: made for made in plans}

    return made


def changed(before: dict[str, PagePlan], after: dict[str, PagePlan]) -> set[str]:
    return {
        url
        for url in before | after
        if (url not in before or url not in after) or before[url].key != after[url].key
    }


def test_articles_of_help_stand_under_their_topics_in_the_order_that_help_gives(make: Make) -> None:
    articles = {
        "help/index.md": "---\ntitle: Help\ntopics: [Get help, Releases]\n---\n",
        "help/b.md": "---\ntitle: B\ntopic: Releases\n---\n",
        "help/a.md": "---\ntitle: A\ntopic: Releases\n---\n",
        "help/c.md": "---\ntitle: C\ntopic: Get help\n---\n",
        "help/more/d.md": "---\ntitle: D\n---\n",
    }
    text = make(articles)["help/"].text()
    assert re.findall(r"^## (.*)|list__title\" href=\"(.*?)\"", text, re.MULTILINE) == [
        ("Get help", ""),
        ("", "/help/c/"),
        ("Releases", ""),
        ("", "/help/a/"),
        ("", "/help/b/"),
        ("More", ""),
        ("", "/help/more/d/"),
        ("General", ""),
        ("", "/help/start/"),
    ]


def test_many_articles_of_a_topic_stand_on_a_page_of_it(make: Make) -> None:
    many = {f"help/a{n}.md": f"---\ntitle: A{n}\ntopic: Get help\n---\n" for n in range(shelves.WHOLE)}
    plans = make({**many, "help/start.md": "---\ntitle: B\ntopic: get help\n---\n"})
    assert [url for url in plans if url.startswith("help/list/")] == ["help/list/get-help/"]
    assert "Get help <small>(61)</small>" in plans["help/"].text()


def test_every_page_of_the_site_is_planned_once(make: Make) -> None:
    assert sorted(make({})) == [
        "",
        "404.html",
        "about/",
        "defects/",
        "defects/WK-7/",
        "defects/security/",
        "events/",
        "events/days/",
        "feeds/",
        "help/",
        "help/start/",
        "life-cycle/",
        "newsletter/",
        "newsletter/spring/",
        "papers/",
        "papers/authors/",
        "papers/authors/a-writer/",
        "papers/maps/",
        "policy/",
        "policy/support/",
        "releases/",
        "releases/works/",
        "releases/works/1.0/",
        "releases/works/1.1/",
        "releases/works/2.0/",
        "search/",
        "support/",
        "support/answers/download.html",
        "support/answers/me.html",
        "support/answers/refused.html",
        "support/answers/renewal.html",
        "support/answers/sign-in-link.html",
        "support/answers/sign-in-sent.html",
        "support/answers/signed-out.html",
        "support/answers/subscription-confirm.html",
        "support/answers/subscription-confirmed.html",
        "support/answers/subscription-leave.html",
        "support/answers/subscription-left.html",
        "support/answers/subscription-sent.html",
        "support/answers/ticket.html",
        "support/answers/updates.html",
        "support/download/",
        "support/renewal/",
        "support/sign-in/",
        "support/subscribe/",
        "support/ticket/",
        "upgrade/",
        "upgrade/works/",
        "upgrade/works/1.0/",
        "upgrade/works/1.1/",
        "upgrade/works/2.0/",
    ]


def test_a_products_page_begins_with_its_newest_release_the_guide_and_the_dates(make: Make) -> None:
    text = make({})["releases/works/"].text()
    assert re.findall(r'class="card" href="(.*?)"><span class="card__title">(.*?)<', text) == [
        ("/releases/works/2.0/", "Works 2.0"),
        ("/upgrade/works/", "Plan an upgrade"),
        ("/life-cycle/#works", "Support dates"),
    ]
    assert text.index('class="card"') < text.index("## 2025")


def test_a_release_leads_to_its_files_or_says_how_to_get_it(make: Make) -> None:
    plans = make({})
    there, away = plans["releases/works/1.1/"].text(), plans["releases/works/2.0/"].text()
    assert '<dt>Download</dt><dd><a href="#files">1 file</a></dd>' in there
    assert "## Files {: #files }" in there
    assert '<td data-label="Platform">Windows</td>' in there
    assert "#get" not in there
    assert '<dt>Download</dt><dd><a href="#get">How to get it</a></dd>' in away
    assert (
        "## How to get 2.0 {: #get }\n\nIt is not among the downloads of this site. "
        "[Ask us for it](/support/ticket/?product=works&version=2.0), or call "
        '<a href="tel:801-555-0142">801-555-0142</a>.' in away
    )
    assert "#files" not in away


def test_what_a_severity_means_stands_wherever_its_time_is_told(make: Make) -> None:
    plans = make({})
    rows = re.findall(r'<tr><th scope="row">(P\d)</th><td>(.*?)</td><td>(.*?)</td>', plans["support/"].text())
    assert rows == [
        ("P1", "A system is down, or nobody can do the work it is for", "1 opening hour"),
        ("P2", "An important function fails, and there is no way around it", "4 opening hours"),
        ("P3", "Something fails, but you can work around it", "1 business day"),
        ("P4", "A question, or a wish", "2 business days"),
    ]
    for _, means, time in rows:
        assert means.replace("you can", "we can") in plans["support/ticket/"].text()
        assert f"we answer within {time}" in plans["support/ticket/"].text()


def test_where_nobody_finds_the_way_the_phone_can_be_called(make: Make) -> None:
    plans = make({})
    for url in ("404.html", "search/"):
        assert '<a class="nowrap" href="tel:801-555-0142">801-555-0142</a>' in plans[url].text(), url


def test_releases_and_issues_name_what_came_before_and_after(make: Make) -> None:
    plans = make({"newsletter/autumn.md": "---\ntitle: Autumn\ndate: 2025-10-01\n---\n\nMore.\n"})
    told = re.findall(r"<small>(.*?)</small><b>(.*?)</b>", plans["releases/works/1.0/"].text())
    assert told == [("Next release", "1.1")]
    told = re.findall(r"<small>(.*?)</small><b>(.*?)</b>", plans["newsletter/autumn/"].text())
    assert told == [("Previous issue", "Spring")]


def test_the_home_pages_banner_may_lead_on_and_every_issue_leads_to_the_next_by_mail(make: Make) -> None:
    told = INDEX.replace("vendor:", 'banner: "Old? [Update <now>](/releases/works/2.0/)."\nvendor:')
    plans = make({"index.md": told})
    assert "Old? [Update &lt;now&gt;](/releases/works/2.0/).\n{: .banner role=note }\n" in plans[""].text()
    after = '<p class="more"><a href="/support/subscribe/">Get the next issue by e-mail</a></p>'
    assert after in plans["newsletter/spring/"].text()


def test_the_same_content_gives_the_same_keys_and_texts(make: Make) -> None:
    first = {url: (made.key, made.text()) for url, made in make({}).items()}
    assert {url: (made.key, made.text()) for url, made in make({}).items()} == first


def test_an_edit_of_a_text_makes_that_page_again_and_the_guides_that_tell_of_it(make: Make) -> None:
    before = make({})
    longer = CONTENT["releases/works/1.1.md"] + "\nOne more sentence.\n"
    assert changed(before, make({"releases/works/1.1.md": longer})) == {
        "releases/works/1.1/",
        "upgrade/works/1.0/",
    }


def test_an_edit_of_a_summary_makes_the_lists_again_that_show_it(make: Make) -> None:
    before = make({})
    other = CONTENT["releases/works/1.1.md"].replace("Repairs the map.", "Repairs it.")
    assert changed(before, make({"releases/works/1.1.md": other})) == {
        "",
        "defects/security/",  # it shows the summary of a release that mends a CVE without a page
        "releases/",
        "releases/works/",
        "releases/works/1.1/",
        "upgrade/works/1.0/",
    }


def test_an_edit_of_a_date_moves_everything_that_tells_it(make: Make) -> None:
    before = make({})
    later = CONTENT["releases/works/2.0.md"].replace("2025-02-28", "2025-03-01")
    assert changed(before, make({"releases/works/2.0.md": later})) == {
        "",
        "life-cycle/",
        "releases/",
        "releases/works/",
        "releases/works/1.0/",
        "releases/works/1.1/",
        "releases/works/2.0/",
        "support/download/",
        "support/ticket/",
        "upgrade/works/",
        "upgrade/works/1.0/",
        "upgrade/works/1.1/",
        "upgrade/works/2.0/",
    }


def test_a_new_release_makes_its_neighbours_again_and_what_offers_it(make: Make) -> None:
    before = make({})
    new = CONTENT["releases/works/1.1.md"].replace("1.1", "1.2").replace("2024-03-01", "2024-04-01")
    assert changed(before, make({"releases/works/1.2.md": new})) == {
        "",
        "defects/",
        "defects/WK-7/",
        "defects/security/",
        "life-cycle/",
        "releases/",
        "releases/works/",
        "releases/works/1.1/",
        "releases/works/1.2/",
        "releases/works/2.0/",
        "support/download/",
        "support/ticket/",
        "upgrade/works/",
        "upgrade/works/1.0/",
        "upgrade/works/1.1/",
        "upgrade/works/1.2/",
    }


def test_a_release_shows_its_panel(make: Make) -> None:
    text = make({})["releases/works/1.1/"].text()
    assert '<time datetime="2024-03-01">March 1, 2024</time>' in text
    assert 'Update of <a href="/releases/works/1.0/">Works 1.0</a>' in text
    assert '<strong data-until><time datetime="2026-02-28">February 28, 2026</time></strong>' in text
    assert (
        "<li>An update ends with its version, 1.0.</li>"
        "<li>Works 2.0, the next version of its line, was released on February 28, 2025.</li>"
        "<li>Prior versions are supported for 12 months after that.</li>"
    ) in text
    assert "CVE-2024-1000" in text
    assert '<a href="/releases/works/1.0/">1.0</a>' in text
    assert '<td data-label="Size" class="nowrap">1.29 MB</td>' in text
    assert "ab" * 32 in text
    assert "/support/download/?product=works&amp;version=1.1&amp;file=works-1.1.zip" in text


def test_an_open_end_is_told_as_a_rule_and_never_as_a_status(make: Make) -> None:
    assert (
        "<strong data-until>12 months after the next version is released</strong>"
        in make({})["releases/works/2.0/"].text()
    )


def test_an_entry_leads_to_the_page_of_its_defect(make: Make) -> None:
    text = make({})["releases/works/1.1/"].text()
    assert "- [WK-7](/defects/WK-7/){: #WK-7 }: The map shows every street." in text
    assert '- <span id="WK-8">WK-8</span>: No page of its own.' in text


def test_a_sample_says_so_in_one_line(make: Make) -> None:
    plans = make({})
    assert plans["releases/works/2.0/"].text().count('<p class="sample">') == 1
    assert '<p class="sample">' not in plans["releases/works/1.0/"].text()


def test_a_link_is_resolved_in_the_text_of_the_page(make: Make) -> None:
    assert "See [the first](/releases/works/1.0/)." in make({})["releases/works/2.0/"].text()


def test_a_defect_says_where_it_was_found_and_fixed(make: Make) -> None:
    text = make({})["defects/WK-7/"].text()
    assert "# Streets are missing &lt;from&gt; the map" in text.replace("\\", "")
    assert '<dt>Found in</dt><dd><a href="/releases/works/1.0/">1.0</a></dd>' in text
    assert '<dt>Fixed in</dt><dd><a href="/releases/works/1.1/#WK-7">1.1</a>' in text
    assert "<dd>Zoom in.</dd>" in text


def test_the_life_cycle_has_every_version_with_its_reasons(make: Make) -> None:
    text = make({})["life-cycle/"].text()
    assert '<a href="/releases/works/1.0/">1.0</a></th>' in text
    assert "February 28, 2026" in text
    assert "12 months after the next version is released" in text
    assert "No next version of its line is released." in text


def test_every_form_posts_to_its_route_and_has_the_places_of_its_errors(make: Make) -> None:
    plans = make({})
    for name, route, fields in (
        (
            "ticket",
            "/api/tickets",
            "name email organization phone agreement product version kind severity subject description",
        ),
        ("renewal", "/api/renewals", "agreement key"),
        ("download", "/api/downloads", "agreement key product version file"),
        ("subscribe", "/api/subscriptions", "email topics"),
    ):
        text = plans[f"support/{name}/"].text()
        assert f'<form class="form" method="post" action="{route}" novalidate data-form>' in text
        assert '<div class="error-summary" id="error-summary" hidden></div>' in text
        assert '<input type="hidden" name="idempotency_key" value="">' in text
        assert 'name="website"' in text
        assert "required" not in text and "placeholder" not in text
        for field in fields.split():
            assert f'data-field="{field}"' in text
            assert f'<p class="field-error" id="{field}-error" hidden></p>' in text
            assert f'name="{field}"' in text


def test_the_ticket_form_tells_the_phone_and_the_hours_first(make: Make) -> None:
    text = make({})["support/ticket/"].text()
    before = text[: text.index("<form")]
    assert "801-555-0142" in before
    assert "Monday to Friday, 8:00 a.m. to 5:00 p.m. (Denver time)" in before


def test_answer_shells_keep_their_templates_through_the_rendering(make: Make) -> None:
    plans = make({})
    shells = [
        (made.path, made.url, made.text())
        for url, made in plans.items()
        if url.startswith("support/answers/")
    ]
    templates = render.templates(SITE)
    for public, html in render.render(shells, SITE, "https://support.example/"):
        inner = templates["answers/" + public.rsplit("/", 1)[1]]
        assert inner.strip() in html.decode()
        assert b'<meta name="robots" content="noindex">' in html


def test_sizes_are_told_as_people_read_them() -> None:
    assert [words.size(n) for n in (0, 999, 1000, 1536, 999_999, 1_288_490_189)] == [
        "0 bytes",
        "999 bytes",
        "1 kB",
        "1.54 kB",
        "1000 kB",
        "1.29 GB",
    ]


def rows(count: int) -> tuple[Row, ...]:
    first = date(2020, 1, 1)
    return tuple(Row(f"/x/{n}/", f"Thing {n}", first + timedelta(days=n // 3), "Text.") for n in range(count))


def planned(count: int, changes: dict[int, Row] | None = None) -> dict[str, PagePlan]:
    made = [(changes or {}).get(n, row) for n, row in enumerate(rows(count))]
    shelf = shelves.Shelf(
        url="newsletter/",
        title="Newsletter",
        section="Newsletter",
        crumbs=(),
        rows=shelves.newest_first(made),
        splits=(shelves.by_year, shelves.by_month),
    )
    return {p.url: p for p in shelves.plans(Templates(render.templates(SITE), {}), shelf)}


def test_a_short_list_is_one_page() -> None:
    assert list(planned(shelves.WHOLE)) == ["newsletter/"]


def test_a_long_list_is_split_and_every_entry_stands_on_a_part() -> None:
    plans = planned(3000)
    assert "newsletter/years/2020/" in plans and "newsletter/years/2021/03/" in plans
    parts = "".join(made.text() for url, made in plans.items() if url.count("/") > 2)
    assert [n for n in range(3000) if f'href="/x/{n}/"' not in parts] == []
    assert max(len(made.text()) for made in plans.values()) < 60_000


def test_an_edit_in_a_long_list_makes_its_part_again_and_no_other() -> None:
    old = rows(3000)[100]
    assert changed(planned(3000), planned(3000, {100: old._replace(text="Other.")})) == {
        "newsletter/years/2020/02/"
    }


def test_lists_of_ids_are_split_by_hundreds() -> None:
    assert shelves.by_hundred(Row("/", "CW-1234: x")) == ("list/CW-1200", "CW-1200 to CW-1299")
    assert shelves.by_hundred(Row("/", "CVE-2025-0994: x")) == (
        "list/CVE-2025-900",
        "CVE-2025-900 to CVE-2025-999",
    )
    assert shelves.by_hundred(Row("/", "Loose")) == ("list/other", "Other")
