"""Bibliographies and citations: what is read of them, how they read, and what bad ones get."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindery import bibtex, bibtex_entry, binding, prose, references
from bindery.library import Library
from bindery.reference_style import as_text
from bindery.references import Citation, Cited, Reference
from bindery.source import Problem, Problems

BIB = r"""@string{cib = "CIB 2004"}
@inproceedings{vanier2004,
  author    = {D. J. Vanier},
  title     = {Geographic Information Systems ({GIS}) as a Tool},
  booktitle = cib # { Triennial Congress},
  address   = {Toronto},
  pages     = {1--10},
  month     = may,
  year      = 2004,
  note      = {NRCC-46754},
}

@article{berg2019, author = {van der Berg, Jean-Pierre and Knuth, Donald E. and Per {Brinch Hansen}},
  title = "What? {\'E}tude of M{\"u}ller \& Sons at 50% -- a ``view''", journal = {J. of Pipes}, volume = 3, number = {2},
  pages = {5}, year = {2019}, doi = {https://doi.org/10.1000/182}}
@techreport{plan, author = {{City of Sandy, Public Works} and others}, title = {Plan}, institution = {NRC},
  address = {Ottawa}, number = {12}, year = 2001}
@online{site, title = {On line}, url = {https://example.org/a_b?x=%20}, urldate = {2026-11-23}}
@book{pipes, editor = {A. Bee}, title = {Pipes
  and Valves}, publisher = {Press}, address = {Sandy}, year = 2001, edition = 2}
@phdthesis{ann, author = {Ann Bee}, title = {Leaks!}, school = {University}, date = {2001-05}}
"""  # noqa: E501


def read(text: str) -> tuple[dict[str, Reference], list[str]]:
    problems: list[Problem] = []
    found = bibtex.parse(text, "papers/works.bib", problems)
    return found, [str(problem) for problem in problems]


def test_a_bibliography_reads_in_one_style() -> None:
    found, problems = read(BIB)
    assert problems == []
    assert {key: as_text(reference.formatted) for key, reference in found.items()} == {
        "vanier2004": "D. J. Vanier, “Geographic Information Systems (GIS) as a Tool,” in CIB 2004 Triennial "
        "Congress, Toronto, pp. 1–10, May 2004. NRCC-46754.",
        "berg2019": "J.-P. van der Berg, D. E. Knuth, and P. Brinch Hansen, “What? Étude of Müller & Sons at "
        "50% – a “view”,” J. of Pipes, vol. 3, no. 2, p. 5, 2019. doi: 10.1000/182.",
        "plan": "City of Sandy, Public Works et al., “Plan,” NRC, Ottawa, 12, 2001.",
        "site": "“On line.” https://example.org/a_b?x=%20 (seen Nov. 23, 2026).",
        "pipes": "A. Bee, Ed., Pipes and Valves, 2nd ed., Sandy: Press, 2001.",
        "ann": "A. Bee, “Leaks!” Ph.D. thesis, University, May 2001.",
    }
    assert [run.text for run in found["vanier2004"].formatted if run.italic] == [
        "CIB 2004 Triennial Congress"
    ]
    assert [run.url for run in found["berg2019"].formatted if run.url] == ["https://doi.org/10.1000/182"]


def test_a_reference_is_an_item_of_csl_json() -> None:
    assert read(BIB)[0]["vanier2004"].csl == {
        "id": "vanier2004",
        "type": "paper-conference",
        "title": "Geographic Information Systems (GIS) as a Tool",
        "author": [{"family": "Vanier", "given": "D. J."}],
        "container-title": "CIB 2004 Triennial Congress",
        "publisher-place": "Toronto",
        "page": "1–10",
        "issued": {"date-parts": [[2004, 5]]},
        "note": "NRCC-46754",
    }


def test_every_problem_of_a_bibliography_is_told_with_its_line() -> None:
    _, problems = read(
        """@inproceedings{a, author = {A. Bee}, title = {T},
  month = may,
  note = undefined }
@article{a, title = {x}}
@article{twice, title = {x}, title = {y}}
@article{open, title = {x, year = 2004}
@book{few,
  title = {ok}, year = {}}
@article{nocomma title = {x}}
@article{comma, title = {x} year = {2004}}
@bok{kind, title = {x}}
@misc{, title = {x}}
@misc{values, title = {T}, year = 20011,
  url = {ftp:x}, doi = {abc}, month = {smarch}, urldate = {yesterday}, author = {A, B, C, D}}
@misc{latex, title = {A \\href{b}}, note = {\\url}, editor = {\\nil}}
"""
    )
    at = "papers/works.bib"
    broken = (
        "the entry must be BibTeX such as '@book{key, title = {…}, year = 2004}', with every brace closed: "
    )
    assert problems == [
        f"{at}:3: 'a.note' must be text in braces or the name of a @string such as {{undefined}}, "
        "not 'undefined'",
        f"{at}:4: the key must be of one entry, 'a' is also that of line 1",
        f"{at}:5: the entry must have each field once, 'title' stands twice",
        f"{at}:6: {broken}"
        "unexpected block start: `@book`. Was still looking for field-value closing `,` or `}`",
        f"{at}:7: 'few.author' must be given in an @book such as {{D. J. Vanier}}, not left out",
        f"{at}:7: 'few.publisher' must be given in an @book such as {{…}}, not left out",
        f"{at}:8: 'few.year' must be given in an @book such as 2004, not empty",
        f"{at}:9: {broken}expected comma after entry key, but found =",
        f"{at}:10: 'comma.title' must be text such as {{…}} and a comma after it, "
        "not '{x} year = {2004}'",
        f"{at}:11: the entry must be of a type such as @book, not @bok",
        f"{at}:12: the entry must have a key of letters, digits and dashes such as vanier2004, it has none",
        f"{at}:14: 'values.author' must be names joined by 'and' such as {{D. J. Vanier and A. Author}}, "
        "not 'A, B, C, D'",
        f"{at}:13: 'values.year' must be a year such as 2004, not '20011'",
        f"{at}:14: 'values.url' must be an address such as https://example.com/, not 'ftp:x'",
        f"{at}:14: 'values.doi' must be a DOI such as 10.1000/182, not 'abc'",
        f"{at}:14: 'values.urldate' must be a date such as 2004-05-02, not 'yesterday'",
        f"{at}:15: 'latex.title' must be text that LaTeX can read such as {{\\'E}}tude, not 'A \\href{{b}}'",
        f"{at}:15: 'latex.editor' must be names joined by 'and' such as {{D. J. Vanier and A. Author}}, "
        "not '\\nil'",
        f"{at}:15: 'latex.note' must be text that LaTeX can read such as {{\\'E}}tude, not '\\url'",
    ]


def test_a_broken_bibliography_says_nothing_beside_its_problems(capfd: pytest.CaptureFixture[str]) -> None:
    read("@article{open, title = {x\n@book{b}")
    assert capfd.readouterr() == ("", "")


def test_a_paper_has_from_its_proceedings_what_it_does_not_say_itself() -> None:
    found, problems = read(
        "@inproceedings{a, author = {A. Bee}, title = {T}, pages = {5}, crossref = {All}}\n"
        "@proceedings{all, title = {Proceedings}, editor = {C. Dee}, year = 2004, address = {Here}}\n"
        "@inproceedings{b, author = {A. Bee}, title = {T},\n crossref = {al}}\n"
    )
    assert as_text(found["a"].formatted) == ("A. Bee, “T,” in Proceedings, C. Dee, Ed., Here, p. 5, 2004.")
    assert problems == [
        "papers/works.bib:4: 'b.crossref' must be the key of another entry such as all, not 'al'"
    ]


def test_every_reference_is_sound_csl_json() -> None:
    schema = Path(__file__).parent / "schemas" / "csl-data.schema.json"
    items = [reference.csl for reference in read(BIB)[0].values()]
    jsonschema.validate(items, json.loads(schema.read_text("utf-8")))


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30))
def test_a_value_that_is_written_reads_the_same_again(value: str) -> None:
    text = bibtex_entry.entry("misc", "a", [("title", value)])
    found, problems = read(text)
    assert problems == []
    assert found["a"].csl["title"] == value


@given(st.text(st.sampled_from('@{}",=#%\\\n ab1-_string$'), max_size=80), st.booleans())
def test_no_text_breaks_the_reading_of_a_bibliography(text: str, in_an_entry: bool) -> None:
    found, problems = read(
        f"@misc{{k, title = {{T}}, author = {{{text}}}, note = {{{text}}}}}" if in_an_entry else text
    )
    assert all(problem.startswith("papers/works.bib:") for problem in problems)
    assert all(reference.csl["title"] for reference in found.values())


@given(st.text(st.sampled_from("@[](){}<>;,.:-\\\n a1`*^!"), max_size=60))
def test_citations_never_overlap_each_other_or_a_link(body: str) -> None:
    plain = prose.without_code(body)
    found = references.citations(plain, body, 1, sentences=True)
    spans = sorted(
        [*((one.start, one.end) for one in found), *((one.start, one.end) for one in prose.links(plain, 1))]
    )
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def cited(body: str, *, sentences: bool = True) -> list[tuple[str, Citation]]:
    found = references.citations(prose.without_code(body), body, 10, sentences=sentences)
    return [(body[one.start : one.end], one) for one in found]


def test_citations_are_found_as_pandoc_writes_them() -> None:
    body = (
        "See [@a] and\n[see @b:1, p. *3*; @c-d.] or [-@a], as @a. says.\n"
        "`[@code]` a@b.example [mail@b.example] [@link](https://x.example/) \\@no [a\nof @two] [x; @a]\n"
        "[by @a](/x/) ![of @a](a.png) [x](b.md?c=@a) <https://x.example/?@a> [by @a][b]\n\n[b]: /y/?@a\n"
    )
    assert [(text, one.works, one.in_sentence, one.line) for text, one in cited(body)] == [
        ("[@a]", (Cited("a"),), False, 10),
        ("[see @b:1, p. *3*; @c-d.]", (Cited("b:1", "see", "p. *3*"), Cited("c-d", "", ".")), False, 11),
        ("[-@a]", (Cited("a"),), False, 11),
        ("@a", (Cited("a"),), True, 11),
        ("\\@", (), True, 12),
        ("[a\nof @two]", (Cited("two", "a of"),), False, 12),
        ("@a", (Cited("a"),), True, 13),
    ]
    assert [text for text, _ in cited(body, sentences=False)][:3] == [
        "[@a]",
        "[see @b:1, p. *3*; @c-d.]",
        "[-@a]",
    ]


def test_numbers_follow_the_first_appearance_and_only_what_is_cited_is_listed() -> None:
    found, _ = read(BIB)
    body = "As @pipes says [see @vanier2004, p. 3; @pipes], and @berg2019, @plan and @site do [@vanier2004]."
    made = references.apparatus([one for _, one in cited(body)], found)
    assert ["".join(piece.text for piece in pieces) for pieces in made.pieces] == [
        "Bee [1]",
        "[see 2, p. 3], [1]",
        "van der Berg et al. [3]",
        "City of Sandy, Public Works et al. [4]",
        "“On line” [5]",
        "[2]",
    ]
    assert [(one.number, one.reference.key, one.mentions) for one in made.listed] == [
        (1, "pipes", 2),
        (2, "vanier2004", 2),
        (3, "berg2019", 1),
        (4, "plan", 1),
        (5, "site", 1),
    ]


PAPER = """---
title: Pipes
authors:
  - name: Ann Bee
date: 2026-05-12
abstract: On pipes.
{more}---

As [@vanier2004] found; see [@berg2020].
"""


def check(folder: Path, now: object) -> list[str]:
    try:
        binding.check(folder, now=now)  # type: ignore[arg-type]
    except Problems as error:
        return [str(problem).removeprefix(f"{folder}/") for problem in error.problems]
    return []


def test_what_a_paper_cites_must_be_in_its_bibliography(small: Callable[..., Path]) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    paper = PAPER.format(more="bibliography: works.bib\n")
    folder = small({"papers/pipes.md": paper, "papers/works.bib": BIB})
    assert check(folder, now) == [
        "papers/pipes.md:10: the citation must be of an entry of the bibliography such as '@berg2019', "
        "not '@berg2020'"
    ]
    (folder / "papers/works.bib").write_text(BIB + "@book{x}\n", "utf-8")
    assert check(folder, now) == [
        "papers/works.bib:22: 'x.author' must be given in an @book such as {D. J. Vanier}, not left out",
        "papers/works.bib:22: 'x.publisher' must be given in an @book such as {…}, not left out",
        "papers/works.bib:22: 'x.title' must be given in an @book such as {Asset Management}, not left out",
        "papers/works.bib:22: 'x.year' must be given in an @book such as 2004, not left out",
    ]
    (folder / "papers/works.bib").unlink()
    assert check(folder, now) == [
        "papers/pipes.md:7: 'bibliography' must be a .bib file beside the paper such as references.bib, "
        "not 'works.bib'"
    ]
    (folder / "papers/pipes.md").write_text(PAPER.format(more=""), "utf-8")
    assert check(folder, now) == [
        f"papers/pipes.md:9: the citation '@{key}' needs a field such as 'bibliography: references.bib', "
        "not a paper without one"
        for key in ("berg2020", "vanier2004")
    ]


def test_a_bibliography_that_no_paper_names_is_told(small: Callable[..., Path]) -> None:
    assert check(small({"papers/works.bib": BIB}), datetime(2026, 11, 23, tzinfo=UTC)) == [
        "papers/works.bib:1: the bibliography must be named by a paper beside it, such as "
        "'bibliography: works.bib', or be taken away"
    ]


def test_elsewhere_citations_lead_to_the_papers_page_and_the_list_stands_below(
    shelved: Callable[..., Library],
) -> None:
    paper = PAPER.format(more="bibliography: works.bib\n").replace("[@berg2020]", "@berg2019")
    library = shelved({"papers/pipes.md": paper, "papers/works.bib": BIB})
    assert library.resolved_body(library.papers[0]) == (
        "\nAs \\[[1](/papers/pipes/#ref-vanier2004)\\] found; see van der Berg et al. "
        "\\[[2](/papers/pipes/#ref-berg2019)\\].\n\n\n## References\n\n"
        "1. D. J. Vanier, “Geographic Information Systems (GIS) as a Tool,” in "
        "*CIB 2004 Triennial Congress*, Toronto, pp. 1–10, May 2004. NRCC-46754.\n"
        "2. J.-P. van der Berg, D. E. Knuth, and P. Brinch Hansen, “What? Étude of Müller &amp; Sons at "
        "50% – a “view”,” *J. of Pipes*, vol. 3, no. 2, p. 5, 2019. doi: "
        "[10.1000/182](<https://doi.org/10.1000/182>).\n"
    )
