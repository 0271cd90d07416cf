"""Papers: one set of facts in every form, authors as persons, ways from a paper to the rest and back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import bibtexparser
import jsonschema
import lxml.etree
import lxml.html
import pytest
from bibtexparser import middlewares

from bindery import authors, binding, citing, render, support
from bindery.library import Library
from bindery.outputs.pages import PagePlan, plan
from bindery.source import Problems

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SITE = Path(__file__).resolve().parents[2] / "site"
CSL = json.loads((Path(__file__).parent / "schemas" / "csl-data.schema.json").read_text("utf-8"))
URL = "https://support.works.example/"
TITLE = '50% of R&D in GIS: </script> "leaks" -- What\'s next_door?'
EVENT = """---
title: Days & Nights
start: 2026-05-12
end: 2026-05-14
place: Sandy, Utah
role: host
---

Come.
"""


def paper(
    title: str = "Pipes",
    *,
    by: str = "[{name: Ann Bee}]",
    day: str = "2026-05-12",
    more: str = "",
    body: str = "Text.",
) -> str:
    return (
        f"---\ntitle: {json.dumps(title)}\nauthors: {by}\ndate: {day}\nabstract: What <we> & they did.\n"
        f"{more}---\n\n{body}\n"
    )


FULL = {
    "events/days.md": EVENT,
    "papers/pipes.md": paper(
        TITLE,
        by='[{name: Ludwig van Beethoven, affiliation: "City & County", orcid: 0000-0002-1825-0097},'
        " {name: Zoë Ångström Jr.}, {name: Plato}]",
        more="event: days\npdf: true\nkeywords: [pipes, leaks]\nfeatures: [works/2.0]\n"
        "bibliography: pipes.bib\n",
        body="Known [@b], see [@a; @b].\n\n`[@none]`",
    ),
    "papers/pipes.bib": "@misc{a, title = {A}, year = 2001}\n@misc{b, title = {B & <i>}, year = 2002}\n",
}


def pages(library: Library) -> dict[str, PagePlan]:
    plans = plan(
        library,
        support.answers(library),
        support.known_issues(library),
        render.templates(SITE),
        URL,
        html_of=lambda text: render.fragment(text, SITE),
    )
    return {made.url: made for made in plans}


def build(content: Path, out: Path, now: datetime = NOW) -> None:
    binding.build(content, SITE, out, now=now, url=URL, jobs=1, cache=None)


def test_every_form_of_a_citation_agrees_on_title_authors_and_date(
    small: Callable[..., Path], tmp_path: Path
) -> None:
    build(small(FULL), tmp_path / "dist")
    folder = tmp_path / "dist" / "public" / "papers" / "pipes"
    page = lxml.html.fromstring((folder / "index.html").read_bytes())

    def tags(name: str) -> list[str]:
        return [str(tag.get("content")) for tag in page.iterfind(f".//meta[@name='{name}']")]

    names = ["Ludwig van Beethoven", "Zoë Ångström Jr.", "Plato"]
    heading = page.find(".//h1")
    assert heading is not None
    assert heading.text_content() == TITLE
    assert [link.text for link in page.iterfind(".//ul[@class='byline']/li/a[1]")] == names
    assert tags("citation_title") == [TITLE]
    assert tags("citation_author") == names
    assert tags("citation_author_institution") == ["City & County"]
    assert tags("citation_author_orcid") == ["https://orcid.org/0000-0002-1825-0097"]
    assert tags("citation_publication_date") == ["2026/05/12"]
    assert tags("citation_conference_title") == ["Days & Nights"]
    assert tags("citation_keywords") == ["pipes", "leaks"]
    assert tags("citation_pdf_url") == [f"{URL}papers/pipes/paper.pdf"]
    assert tags("citation_abstract_html_url") == [f"{URL}papers/pipes/"]

    [block] = page.iterfind(".//script[@type='application/ld+json']")
    assert not set("<>&") & set(block.text_content())  # whatever it tells, it cannot end its element
    article = json.loads(block.text_content())
    assert article["@type"] == "ScholarlyArticle"
    assert (article["headline"], article["datePublished"]) == (TITLE, "2026-05-12")
    assert [author["name"] for author in article["author"]] == names
    assert article["author"][0] == {
        "@type": "Person",
        "name": "Ludwig van Beethoven",
        "affiliation": {"@type": "Organization", "name": "City & County"},
        "sameAs": "https://orcid.org/0000-0002-1825-0097",
    }
    assert article["about"] == [
        {"@type": "SoftwareApplication", "name": "Works 2.0", "url": f"{URL}releases/works/2.0/"}
    ]
    assert article["citation"] == ["“B & <i>,” 2002.", "“A,” 2001."]

    data = json.loads((folder / "paper.csl.json").read_text("utf-8"))
    jsonschema.validate(data, CSL)
    [item] = data
    assert item["title"] == TITLE
    assert item["author"] == [
        {"family": "Beethoven", "given": "Ludwig", "non-dropping-particle": "van"},
        {"family": "Ångström", "given": "Zoë", "suffix": "Jr."},
        {"literal": "Plato"},
    ]
    assert item["issued"] == {"date-parts": [[2026, 5, 12]]}
    assert (item["type"], item["event"]) == ("paper-conference", "Days & Nights")

    text = (folder / "paper.bib").read_text("utf-8")
    layers = [
        middlewares.SeparateCoAuthors(),
        middlewares.SplitNameParts(),
        middlewares.LatexDecodingMiddleware(),
    ]
    parsed = bibtexparser.parse_string(text, append_middleware=layers)
    assert parsed.failed_blocks == []
    [entry] = parsed.entries
    told = [
        {
            name: " ".join(part).strip("{}")
            for name, part in (("first", one.first), ("von", one.von), ("last", one.last), ("jr", one.jr))
            if part
        }
        for one in entry["author"]
    ]
    assert told == [
        {"first": "Ludwig", "von": "van", "last": "Beethoven"},
        {"first": "Zoë", "last": "Ångström", "jr": "Jr."},
        {"last": "Plato"},
    ]
    assert entry["title"] == TITLE
    assert (entry["date"], entry["year"], entry["month"]) == ("2026-05-12", "2026", "may")

    atom = "{http://www.w3.org/2005/Atom}"
    [of_feed] = lxml.etree.parse(tmp_path / "dist/public/feeds/papers.atom").iterfind(f".//{atom}entry")
    assert of_feed.findtext(f"{atom}title") == TITLE
    assert [author.findtext(f"{atom}name") for author in of_feed.iterfind(f"{atom}author")] == names
    assert (of_feed.findtext(f"{atom}published") or "")[:10] == "2026-05-12"


def test_what_we_write_as_bibtex_reads_the_same_again(shelved: Callable[..., Library]) -> None:
    from bindery import bibtex

    library = shelved(FULL)
    own = citing.citable(library, library.papers[0], URL)
    problems: list[object] = []
    [read] = bibtex.parse(own.bibtex(), "paper.bib", problems).values()  # type: ignore[arg-type]
    assert problems == []
    csl = own.csl()
    assert {name: read.csl[name] for name in ("title", "author", "issued", "type", "URL", "publisher")} == {
        name: csl[name] for name in ("title", "author", "issued", "type", "URL", "publisher")
    }


def test_a_sample_says_so_wherever_it_is_cited(shelved: Callable[..., Library]) -> None:
    library = shelved({"papers/pipes.md": paper(more="sample: true\n")})
    own = citing.citable(library, library.papers[0], URL)
    assert own.csl()["note"] == "Sample, not a real publication"
    assert "note = {Sample, not a real publication}" in own.bibtex()
    assert '"creativeWorkStatus": "Sample, not a real publication"' in own.json_ld({}, ())


def test_every_citation_leads_to_its_reference_and_back(small: Callable[..., Path], tmp_path: Path) -> None:
    build(small(FULL), tmp_path / "dist")
    text = (tmp_path / "dist/public/papers/pipes/index.html").read_text("utf-8")
    page = lxml.html.fromstring(text)
    ids = [str(element.get("id")) for element in page.iterfind(".//*[@id]")]
    assert len(ids) == len(set(ids))
    cites = [
        (str(link.get("id")), str(link.get("href")), link.text)
        for link in page.iterfind(".//a[@class='cite']")
    ]
    assert cites == [
        ("cite-1-1", "#ref-b", "1"),
        ("cite-2-1", "#ref-a", "2"),
        ("cite-1-2", "#ref-b", "1"),
    ]
    backs = [
        (str(li.get("id")), [a.get("href") for a in li.iterfind("a")])
        for li in page.iterfind(".//ol[@class='references']/li")
    ]
    assert backs == [("ref-b", ["#cite-1-1", "#cite-1-2"]), ("ref-a", ["#cite-2-1"])]
    assert "<code>[@none]</code>" in text
    assert "B &amp; &lt;i&gt;" in text


def test_footnotes_stand_between_the_text_and_the_references(
    small: Callable[..., Path], tmp_path: Path
) -> None:
    noted = FULL["papers/pipes.md"].replace("see [@a; @b].", "see [@a; @b].[^n]\n\n[^n]: A note.")
    code = paper(body="```\n[^n]: no note\n```")
    build(small(FULL | {"papers/pipes.md": noted, "papers/code.md": code}), tmp_path / "dist")
    text = (tmp_path / "dist/public/papers/pipes/index.html").read_text("utf-8")
    order = ("Known [", "A note.", "References</h2>", "How to cite</h2>")
    assert sorted(order, key=text.index) == list(order)
    for name in ("pipes", "code"):
        assert "Go Here" not in (tmp_path / f"dist/public/papers/{name}/index.html").read_text("utf-8")


def test_a_changed_bibliography_makes_its_paper_again_and_nothing_else(
    shelved: Callable[..., Library],
) -> None:
    before = pages(shelved(FULL))
    after = pages(
        shelved(
            {"papers/pipes.bib": FULL["papers/pipes.bib"].replace("{A}", "{Another}")}
            | {name: text for name, text in FULL.items() if not name.endswith(".bib")}
        )
    )
    assert {url for url in after if before[url].key != after[url].key} == {"papers/pipes/"}


def slugs(library: Library) -> Mapping[str, list[str]]:
    return {
        person.slug: [paper.url for paper in person.papers] for person in authors.authors(library).persons
    }


def test_one_person_has_one_page_whatever_the_papers_call_them(shelved: Callable[..., Library]) -> None:
    library = shelved(
        {
            "papers/a.md": paper(by="[{name: José Łuk, orcid: 0000-0002-1825-0097}]", day="2020-01-01"),
            "papers/b.md": paper(
                by="[{name: J. Łuk, orcid: 0000-0002-1825-0097}, {name: Bo}]", day="2021-01-01"
            ),
            "papers/c.md": paper(by="[{name: josé  łuk, affiliation: A City}]", day="2022-01-01"),
            "papers/d.md": paper(by="[{name: 李明}]", day="2022-01-02"),
        }
    )
    assert slugs(library) == {
        "author-def6a74c": ["papers/d/"],
        "bo": ["papers/b/"],
        "jose-luk": ["papers/c/", "papers/b/", "papers/a/"],
    }
    person = next(one for one in authors.authors(library).persons if one.slug == "jose-luk")
    assert (person.name, person.orcid, person.affiliation) == ("josé łuk", "0000-0002-1825-0097", "A City")


def test_two_persons_of_one_name_have_two_pages_that_stay_where_they_are(
    shelved: Callable[..., Library],
) -> None:
    first = {
        "papers/a.md": paper(by="[{name: Ann Bee, orcid: 0000-0002-1825-0097}]", day="2020-01-01"),
        "papers/b.md": paper(by="[{name: Ann Bee, orcid: 0000-0001-5109-3700}]", day="2021-01-01"),
        "papers/c.md": paper(by="[{name: Ann Bee}]", day="2022-01-01"),
    }
    expected = {"ann-bee": ["papers/a/"], "ann-bee-2": ["papers/c/"], "ann-bee-3700": ["papers/b/"]}
    assert slugs(shelved(first)) == expected
    later = {"papers/d.md": paper(by="[{name: A. Bee, orcid: 0000-0002-1825-0097}]", day="2023-01-01")}
    assert slugs(shelved(first | later)) == expected | {"ann-bee": ["papers/d/", "papers/a/"]}


@pytest.mark.parametrize(
    ("name", "family", "listed"),
    [
        ("D. J. Vanier", "Vanier", "Vanier, D. J."),
        ("Ludwig van Beethoven", "Beethoven", "Beethoven, Ludwig van"),
        ("Ana de la Cruz Ortega", "Cruz Ortega", "Cruz Ortega, Ana de la"),
        ("Martin King Jr.", "King", "King, Martin Jr."),
        ("Plato", None, "Plato"),
    ],
)
def test_a_list_sorts_by_family_name(name: str, family: str | None, listed: str) -> None:
    from bindery.kinds.paper import Author

    author = Author(name=name, affiliation="", orcid="")
    assert (authors.parts(author).get("family"), authors.sorted_name(author)) == (family, listed)


def test_the_list_of_authors_is_by_family_name_and_falls_into_letters_when_it_is_long(
    shelved: Callable[..., Library],
) -> None:
    names = [*(f"Ann Bee{number:02}" for number in range(60)), "Zoë Ångström", "Abe Zorn"]
    by = f"[{', '.join(f'{{name: {name}}}' for name in names)}]"
    made = pages(shelved({"papers/pipes.md": paper(by=by)}))
    assert [url for url in made if url.startswith("papers/authors/a-z/")] == [
        "papers/authors/a-z/a/",
        "papers/authors/a-z/b/",
        "papers/authors/a-z/z/",
    ]
    assert ">Ångström, Zoë</a>" in made["papers/authors/a-z/a/"].text()
    short = pages(shelved({"papers/pipes.md": paper(by="[{name: Abe Zorn}, {name: Zoë Ångström}]")}))
    text = short["papers/authors/"].text()
    assert text.index("Ångström, Zoë") < text.index("Zorn, Abe")


def test_a_release_an_event_and_an_author_lead_to_the_paper(shelved: Callable[..., Library]) -> None:
    made = pages(
        shelved(FULL | {"papers/pipes.md": FULL["papers/pipes.md"].replace(json.dumps(TITLE), "Pipes")})
    )
    assert (
        '## Papers about this release {: #papers }\n\n<ul>\n<li><a href="/papers/pipes/">Pipes</a>, '
        '<time datetime="2026-05-12">May 12, 2026</time></li>\n</ul>'
    ) in made["releases/works/2.0/"].text()
    assert "Papers about" not in made["releases/works/1.0/"].text()
    event = made["events/days/"].text()
    assert '<a class="list__title" href="/papers/pipes/">Pipes</a>' in event
    front = dict(line.split(": ", 1) for line in event.split("---")[1].strip().splitlines())
    assert json.loads(json.loads(front["data"])) == {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": "Days & Nights",
        "startDate": "2026-05-12",
        "endDate": "2026-05-14",
        "location": {"@type": "Place", "name": "Sandy, Utah", "address": "Sandy, Utah"},
        "url": f"{URL}events/days/",
        "organizer": {"@type": "Organization", "name": "Example Systems"},
        "workFeatured": [{"@type": "ScholarlyArticle", "name": "Pipes", "url": f"{URL}papers/pipes/"}],
    }
    person = made["papers/authors/plato/"].text()
    assert "With Ludwig van Beethoven, Zoë Ångström Jr." in person
    assert ">Ångström, Zoë Jr.</a>" in made["papers/authors/"].text()
    text = made["papers/pipes/"].text()
    for link in ('href="/events/days/"', 'href="/releases/works/2.0/"', 'href="/papers/authors/plato/"'):
        assert link in text


def test_a_new_title_makes_only_the_pages_again_that_tell_it(shelved: Callable[..., Library]) -> None:
    before = pages(shelved(FULL))
    text = FULL["papers/pipes.md"].replace(json.dumps(TITLE), "Other")
    after = pages(shelved(FULL | {"papers/pipes.md": text}))
    assert {url for url in after if before[url].key != after[url].key} == {
        "",
        "events/days/",
        "papers/",
        "papers/authors/ludwig-van-beethoven/",
        "papers/authors/plato/",
        "papers/authors/zoe-angstrom-jr/",
        "papers/pipes/",
        "releases/works/2.0/",
    }


def test_a_paper_under_embargo_shows_nowhere_one_second_before(
    small: Callable[..., Path], tmp_path: Path
) -> None:
    canary = "Quetzal"
    content = small(
        {
            "events/days.md": EVENT,
            "papers/open.md": paper("Open", by="[{name: Ann Bee}]", more="event: days\n"),
            "papers/quetzal.md": paper(
                f"The {canary}",
                by=f"[{{name: Ann Bee}}, {{name: {canary} Author}}]",
                more="event: days\nfeatures: [works/2.0]\nbibliography: quetzal.bib\nkeywords: [quetzal]\n"
                "publish_at: 2026-11-23T12:00:00Z\n",
                body=f"{canary} [@quetzal].",
            ),
            "papers/quetzal.bib": f"@misc{{quetzal, title = {{{canary}}}}}\n",
        }
    )

    def told(out: Path) -> list[str]:
        return sorted(
            str(path.relative_to(out))
            for path in out.rglob("*")
            if path.is_file()
            and (
                canary.casefold() in str(path.relative_to(out))
                or canary.casefold() in path.read_text("utf-8", "ignore").casefold()
            )
        )

    build(content, tmp_path / "before", datetime(2026, 11, 23, 11, 59, 59, tzinfo=UTC))
    assert told(tmp_path / "before") == []
    build(content, tmp_path / "after", NOW)
    after = told(tmp_path / "after")
    assert "public/papers/authors/quetzal-author/index.html" in after
    assert "public/papers/quetzal/paper.bib" in after
    assert "public/releases/works/2.0/index.html" in after
    assert not any(path.endswith("quetzal.bib") for path in after)  # a bibliography is never published


def test_no_paper_takes_the_address_of_the_list_of_authors(small: Callable[..., Path]) -> None:
    with pytest.raises(Problems) as caught:
        binding.check(small({"papers/authors.md": paper()}), now=NOW)
    assert [problem.message for problem in caught.value.problems] == [
        "the file must have an address of its own, 'papers/authors/' is that of the list of authors"
    ]


def test_what_is_wrong_with_authors_is_told(small: Callable[..., Path]) -> None:
    text = paper(
        by='\n  - name: "Bee, Ann"\n  - name: A and B\n  - {name: C, orcid: 0000-0002-1825-0098}\n  - name: C'
    )
    with pytest.raises(Problems) as caught:
        binding.check(small({"papers/pipes.md": text}), now=NOW)
    assert [re.sub(r"^.*/papers/", "papers/", str(problem)) for problem in caught.value.problems] == [
        "papers/pipes.md:3: 'authors' must be a list of authors that each stand once such as 'D. J. Vanier', "
        "not 'C' twice",
        "papers/pipes.md:4: 'authors[1].name' must be one person's name, as it is spoken, such as "
        "'D. J. Vanier', not 'Bee, Ann'",
        "papers/pipes.md:5: 'authors[2].name' must be one person's name, as it is spoken, such as "
        "'D. J. Vanier', not 'A and B'",
        "papers/pipes.md:6: 'authors[3].orcid' must be an ORCID iD whose last sign fits such as "
        "0000-0002-1825-0097, not '0000-0002-1825-0098'",
    ]
