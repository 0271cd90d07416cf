"""Mathematics: where it stands in a text, and the same formula on the page and in print."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import markdown
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindery import formulas, manuscript, mathematics, prose
from bindery.mathematics import Unfit

SHOWN: dict[str, tuple[str, Any]] = {
    "x^2": (
        "<msup><mi>x</mi><mn>2</mn></msup>",
        ["scripts", ["sign", "x"], None, ["text", "2"]],
    ),
    r"\frac{a}{b}": (
        "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>",
        ["frac", ["sign", "a"], ["sign", "b"]],
    ),
    r"\sqrt[3]{x}": (
        "<mroot><mrow><mi>x</mi></mrow><mn>3</mn></mroot>",
        ["root", ["text", "3"], ["sign", "x"]],
    ),
    r"\hat{x}": (
        '<mover accent="true"><mrow><mi>x</mi></mrow><mo>&#94;</mo></mover>',
        ["accent", ["sign", "x"], "\u0302"],
    ),
    r"\overline{x}": (
        '<mover><mrow><mi>x</mi></mrow><mo stretchy="true">‾</mo></mover>',
        ["overline", ["sign", "x"]],
    ),
    r"\log x": (
        '<mi>log</mi><mspace width="0.167em"></mspace><mi>x</mi>',
        ["row", ["op", "log"], ["row"], ["sign", "x"]],
    ),
    r"5\% \pm 1": (
        "<mn>5</mn><mi>&#37;</mi><mo>±</mo><mn>1</mn>",
        ["row", ["text", "5"], ["sign", "%"], ["sign", "±"], ["text", "1"]],
    ),
    r"\mathrm{mi}": ('<mrow><mi mathvariant="normal">mi</mi></mrow>', ["text", "mi"]),
    r"\mathbf{x}": ("<mi>𝐱</mi>", ["sign", "𝐱"]),
    r"\text{a < b}": ("<mtext>a\xa0&#60;\xa0b</mtext>", ["text", "a\xa0<\xa0b"]),
    r"10{,}000": (
        '<mn>10</mn><mrow><mo lspace="0em" rspace="0em">&#44;</mo></mrow><mn>000</mn>',
        ["row", ["text", "10"], ["ordinary", ","], ["text", "000"]],
    ),
    r"\left( x \right|": (
        '<mrow><mo stretchy="true" fence="true" form="prefix">&#40;</mo><mi>x</mi>'
        '<mo stretchy="true" fence="true" form="postfix">&#124;</mo></mrow>',
        ["fenced", ["sign", "("], ["sign", "x"], ["sign", "|"]],
    ),
    r"\begin{pmatrix} 1 & 2 \end{pmatrix}": (
        "<mo>&#40;</mo><mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr></mtable><mo>&#41;</mo>",
        [
            "row",
            ["fenced", ["sign", "("], ["matrix", "center", [["text", "1"], ["text", "2"]]], ["sign", ")"]],
        ],
    ),
    r"\begin{aligned} a &= b \end{aligned}": (
        '<mtable displaystyle="true"><mtr><mtd class="right"><mi>a</mi></mtd>'
        '<mtd class="left"><mi></mi><mo>&#61;</mo><mi>b</mi></mtd></mtr></mtable>',
        ["lines", [["sign", "a"], ["row", ["row"], ["sign", "="], ["sign", "b"]]]],
    ),
}


@pytest.mark.parametrize("tex", SHOWN)
def test_a_formula_is_the_same_on_the_page_and_in_print(tex: str) -> None:
    tree = mathematics.mathml(tex, False)
    assert (mathematics.as_html(tree), formulas.as_print(tree)) == (
        f'<span class="math"><math><mrow>{SHOWN[tex][0]}</mrow></math></span>',
        SHOWN[tex][1],
    )


def test_limits_stand_below_only_where_a_formula_has_its_own_line() -> None:
    assert formulas.as_print(mathematics.mathml(r"\sum_{i}^n", True))[0] == "limits"
    assert formulas.as_print(mathematics.mathml(r"\lim_x", True))[0] == "limits"
    assert formulas.as_print(mathematics.mathml(r"\sum_{i}^n", False))[0] == "scripts"
    assert mathematics.as_html(mathematics.mathml("x", True)) == (
        '<span class="math math--block"><math display="block"><mrow><mi>x</mi></mrow></math></span>'
    )


@pytest.mark.parametrize(
    ("tex", "told"),
    [
        (r"\foo x", r"\foo"),
        (r"\href{x}{y}", r"\href"),
        (r"\newcommand{\a}{\a\a}\a", r"\newcommand"),
        (r"\def\a{b}", r"\def"),
        (r"\frac{a}", r"\frac{a}"),
        (r"\left(", r"\left("),
        ("{", "{"),
        ("a & b", "a & b"),
        (r"a \\ b", r"a \\ b"),
        (r"\begin{foo} a \end{foo}", r"\begin{foo}"),
        (r"\color{red}{x}", r"\color"),
        ("x_", "x_"),
    ],
)
def test_what_cannot_be_shown_is_refused(tex: str, told: str) -> None:
    with pytest.raises(Unfit) as caught:
        mathematics.mathml(tex, False)
    assert str(caught.value) == told


def found(text: str) -> list[tuple[str | None, bool]]:
    return [(f.tex, f.display) for f in mathematics.formulas(prose.without_code(text), text)]


@pytest.mark.parametrize(
    ("text", "formulas_in_it"),
    [
        ("a $x$, b", [("x", False)]),
        ("It costs $5 and $6.", []),
        ("It costs $5-$6, or $ 7 $.", []),
        ("US$20,000 and $30,000", []),
        (r"\$x$ costs \$5", [(None, False), (None, False)]),
        ("$x$5 and `$y$`", []),
        ("```\n$x$\n```\n$y$", [("y", False)]),
        ("$$\nx\n+ y\n$$", [("x\n+ y", True)]),
        ("$$\nx\n\ny$$", []),
        ("$a `b` c$", []),
        (r"$\$5$", [(r"\$5", False)]),
        ("[x](/a$b$c)", []),
        ("$x\ny$", [("x\ny", False)]),
        ("$x$$y$", [("x", False), ("y", False)]),
    ],
)
def test_a_dollar_amount_is_no_formula(text: str, formulas_in_it: list[tuple[str | None, bool]]) -> None:
    assert found(text) == formulas_in_it


def test_markdown_reads_nothing_in_a_formula() -> None:
    """`*`, `_`, `|`, brackets and backticks of a formula come through Markdown as they went in."""
    text = manuscript.for_page(r"$a*b*c_d e_f [f](g) |h| \backslash ` ! \lt m$ and \$5")
    html = markdown.markdown(text, extensions=list(manuscript.EXTENSIONS))
    (math,) = ET.fromstring(html).iter("math")
    assert "".join(math.itertext()) == "a*b*cdef[f](g)|h|\\`!<m"
    assert html.endswith("</math></span> and $5</p>")


WORDS = st.text(alphabet=r"ab12+-*/=<>(){}[]^_\ &%,.'|~#$", min_size=1, max_size=25)


@given(WORDS)
def test_any_formula_is_shown_or_refused_and_never_anything_else(tex: str) -> None:
    try:
        tree = mathematics.mathml(tex, False)
    except Unfit:
        return
    html = mathematics.as_html(tree)
    assert [one.tag for one in ET.fromstring(html)] == ["math"]
    assert isinstance(formulas.as_print(tree)[0], str)
    for before in ("a ", "a\n", ""):
        shown = ET.fromstring(markdown.markdown(f"{before}{html} b", extensions=list(manuscript.EXTENSIONS)))
        assert [(shown.tag, one.tag, one[0].tag, one.tail) for one in shown] == [("p", "span", "math", " b")]
        assert "".join(shown.itertext()) == before + "".join(ET.fromstring(html).itertext()) + " b"
