"""A paper's Markdown: what print knows of it, and what it refuses, with the line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bindery import manuscript, render

ROOT = Path(__file__).resolve().parents[2]


def blocks(text: str) -> list[Any]:
    made = manuscript.read(text)
    assert made.trouble == ()
    return made.blocks


def test_print_reads_markdown_as_the_page_does() -> None:
    on_the_page = render.load(ROOT / "site", "https://support.example/")["markdown_extensions"]
    assert sorted(on_the_page) == sorted(manuscript.EXTENSIONS)


def test_everything_that_a_paper_may_use() -> None:
    text = """## A *b* `c`

One **two**[^n], $x$ and [here](#a-b-c) \\
or [there](/life-cycle/).[^n]

Table: Counts of *leaks*.

| Month | Leaks |
|---|---:|
| May | $5 |

![A map](map.png "All mains."){#fig-map}

![Plain](b.svg)

1. one

    more

2. two
    - deep

term
:   said

> quoted

!!! note "Mind"
    this

```python
a = "$b$"
```

---

$$
y
$$

[^n]: Said *once*.
"""
    assert blocks(text) == [
        ["heading", 1, "a-b-c", ["A ", ["em", ["b"]], " ", ["code", "c"]]],
        [
            "par",
            [
                "One ",
                ["strong", ["two"]],
                ["note", "n", [["par", ["Said ", ["em", ["once"]], "."]]]],
                ", ",
                ["math", "x", False, ["sign", "x"]],
                " and ",
                ["inner", "a-b-c", ["here"]],
                " \\ or ",
                ["link", "/life-cycle/", ["there"]],
                ".",
                ["note-again", "n"],
            ],
        ],
        ["table", ["", "right"], [["Month"], ["Leaks"]], [[["May"], ["$5"]]], ["Counts of ", ["em", ["leaks"]], "."], 1],  # noqa: E501
        ["figure", "map.png", "A map", "All mains.", 1, "fig-map"],
        ["figure", "b.svg", "Plain", "", 0, ""],
        ["enum", 1, False, [[["par", ["one"]], ["par", ["more"]]], [["par", ["two"]], ["list", 1, True, [[["par", ["deep"]]]]]]]],  # noqa: E501
        ["terms", [[["term"], [["par", ["said"]]]]]],
        ["quote", [["par", ["quoted"]]]],
        ["remark", ["Mind"], [["par", ["this"]]]],
        ["listing", 'a = "$b$"'],
        ["rule"],
        ["math", "y", True, ["sign", "y"]],
    ]  # fmt: skip
    assert manuscript.problems(text, 1, "papers/x.md") == []


REFUSED: dict[str, list[str]] = {
    "## A\n\n<div>\nx\n</div>\n": ["3: the text must be Markdown such as *word*, not HTML such as '<div>'"],
    "Word <b>bold</b>.": ["1: the text must be Markdown such as *word*, not HTML such as '<b>'"],
    "\n![](map.png)": [
        "2: the picture must have words for those who do not see it such as ![A map of all mains](map.png), "
        "not ![](map.png)"
    ],
    "![a](https://x.example/y.png)": [
        "1: the picture must be a file beside the paper such as map.png, map.jpg or map.svg, "
        "not 'https://x.example/y.png'"
    ],
    "A\n\nword ![a](b.png) word": [
        "3: the picture must stand in a paragraph of its own, not in a line, 'b.png'"
    ],
    "- x\n\n    ![a](b.png \"Cap\")\n": [
        "3: the caption must stand beside the file, outside lists and quotes, such as "
        '![A map](map.png "All mains")'
    ],
    "| a | |\n|---|---|\n| b | c |\n": [
        "2: the table must have a heading above each column such as '| Month | Count |', not an empty one"
    ],
    "## A\n\n#### B\n\n# C": [
        "3: the heading must be one level below the one before it such as '### …', not '#### B'",
        "5: the heading must begin with '##', for '#' is the title, not '# C'",
    ],
    "## On $x$": ["1: the heading must be words such as 'Method', not mathematics"],
    "x[^a] and\ny[^b]\n\n[^a]: y\n[^c]: z": [
        "2: the footnote must have a text of its own such as '[^b]: …', it has none",
        "5: the footnote must be referred to in the text such as by [^c], it is not",
    ],
    "## A\n\ntext\n\nsee [b](#b)": [
        "5: the link must lead to a heading or figure of the paper such as #method, not '#b'"
    ],
    '![a](b.png "C"){#f}\n\n![d](e.png "F"){#f}\n\n[it](#f)': [
        "3: the name must stand once in a paper such as {#f-2}, and #f stands twice"
    ],
    "A word.\n{: .wide }": [
        "2: the text must do without attributes in braces, which a PDF cannot show, not class='wide'"
    ],
    "a\n\n    x = $y$\n": [
        "3: the code must stand between lines of ``` when it holds dollars, not behind four spaces"
    ],
    "a `b\n$c$ d` e": [],
    "[ ](/x/)\n\n## A\n\n[](#a)\n\n##\n": [
        "1: the link must have words such as [the list](/x/), not an empty one",
        "5: the link must have words such as [the list](#a), not an empty one",
        "7: the heading must have words such as 'Method', not an empty one",
    ],
    "a\n\n$$x$$ b": ["3: the formula between $$ must stand in a paragraph of its own, not in a line"],
    "    a\n: meaning": ["2: the meaning must stand in the line below its term, not without one"],
    "a \ue000 b": ["1: the text must be letters and signs that have a name, not U+E000 or U+E001"],
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_print_does_not_know_is_refused_with_its_line(text: str) -> None:
    told = [f"{problem.line}: {problem.message}" for problem in manuscript.problems(text, 1, "papers/x.md")]
    assert sorted(told) == REFUSED[text]


def test_each_of_many_problems_has_its_own_line() -> None:
    text = "```\n<b>\n```\n\n" + "a <b>\n\n" * 3
    assert [p.line for p in manuscript.problems(text, 10, "papers/x.md")] == [14, 16, 18]


def test_formulas_that_cannot_be_shown_have_their_lines() -> None:
    found = manuscript.text_problems("a\n$\\foo$ $x$\n\n$$\n\\frac{a}\n$$", 5, "papers/x.md")
    assert [str(problem) for problem in found] == [
        r"papers/x.md:6: the mathematics must be TeX that page and PDF can show such as \frac{a}{b}, "
        r"not '\foo'",
        r"papers/x.md:8: the mathematics must be TeX that page and PDF can show such as \frac{a}{b}, "
        r"not '\frac{a}'",
    ]


def test_code_and_comments_that_do_not_end_are_told() -> None:
    text = "a\n\n```\ncode\n\n<!-- x --> b"
    assert [str(problem) for problem in manuscript.text_problems(text, 5, "papers/x.md")] == [
        "papers/x.md:10: the comment must stand on a line of its own, not before text",
        "papers/x.md:7: the code must end with a line such as '```', it does not end",
    ]


def test_captions_on_the_page_have_the_numbers_of_print() -> None:
    text = (
        '![A "map"](/papers/a.png "Mains & valves"){#fig-a}\n\n```\n\n![x](y.png "z")\n\n```\n\n'
        "Table: Of leaks.\n\n| a |\n|---|\n| b |\n\n![B](/papers/b.png 'Second')\n"
    )
    assert manuscript.for_page(text) == (
        '<figure id="fig-a"><img src="/papers/a.png" alt="A &#34;map&#34;">'
        "<figcaption>Figure 1. Mains &#38; valves</figcaption></figure>\n\n"
        '```\n\n![x](y.png "z")\n\n```\n\nTable 1. Of leaks.\n{: .caption }\n\n| a |\n|---|\n| b |\n\n'
        '<figure><img src="/papers/b.png" alt="B"><figcaption>Figure 2. Second</figcaption></figure>\n'
    )
    assert [block[4] for block in blocks(text) if block[0] == "figure"] == [1, 2]


def words(node: Any) -> Iterator[str]:
    """Every text in a tree, names of nodes left out."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list) and node and isinstance(node[0], str) and node[0] in ("par", "em", "code"):
        for below in node[1:]:
            yield from words(below)
    elif isinstance(node, list):
        for below in node:
            yield from words(below)


SIGNS = r"""#$*_@<>\/"'`~[](){}!%&|+-=.:;^?abC1é"""


@given(st.text(alphabet=SIGNS + "  ", min_size=1, max_size=40))
@example('#read("/etc/passwd") #{1+1} $x$ @c <l> \\u{1F600} // x /* y */')
@settings(max_examples=200)
def test_hostile_text_goes_in_and_comes_out_as_text(text: str) -> None:
    """Every sign that Markdown reads is escaped here; then nothing may be lost or become anything."""
    escaped = "x" + "".join(f"&#{ord(sign)};" if sign in SIGNS[:-4] else sign for sign in text) + "x"
    assert "".join(words(blocks(escaped))) == " ".join(f"x{text}x".split(" ")).replace("  ", " ") or (
        "".join(words(blocks(escaped))).split() == f"x{text}x".split()
    )
