"""The published form page comes back with what was typed: exactly, and inert."""

from __future__ import annotations

from html.parser import HTMLParser

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.form_pages import fill, link_targets
from chalicelib.refusals import FieldProblem

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Send a ticket</title>
<script src="/assets/a.js"></script></head>
<body><h1 autofocus>Send a ticket &amp; more</h1>
<input name="outside" value="untouched">
<form method="post" action="/api/tickets" novalidate>
<div class="error-summary" id="error-summary" hidden></div>
<input type="hidden" name="idempotency_key" value="">
<input type="text" id="website" name="website">
<div class="field" data-field="name">
<label for="name">Name</label><p class="field-error" id="name-error" hidden></p>
<input type="text" id="name" name="name" aria-describedby="name-hint" value="old">
</div>
<fieldset class="field" data-field="kind"><legend>Kind</legend>
<p class="field-error" id="kind-error" hidden></p>
<input type="radio" id="kind-a" name="kind" value="a" checked>
<input type="radio" id="kind-b" name="kind" value="b">
</fieldset>
<div class="field" data-field="product"><p class="field-error" id="product-error" hidden></p>
<select id="product" name="product"><option value="" selected>Not sure</option>
<option value="w">Widget</option></select>
</div>
<input type="password" id="secret" name="secret">
<div class="field" data-field="text"><p class="field-error" id="text-error" hidden></p>
<textarea id="text" name="text" rows="3">old &lt;b&gt;</textarea></div>
<button type="submit" name="send" value="1">Send</button>
</form></body></html>
"""
PLAIN = "".join(
    chr(code)
    for code in [*range(0x20, 0x7F), 0x09, 0x0A, 0xA0, 0xE4, 0x2028, 0x202E, 0x1F600, 0x0130, 0x212A]
)
typed = st.text(st.sampled_from(PLAIN + "<>&\"'`=/\r") | st.characters(exclude_categories=["Cs", "Cc", "Cn"]))


def one(page: str, selector: str) -> lxml.html.HtmlElement:
    (found,) = lxml.html.fromstring(page).xpath(selector)
    return found


class Tags(HTMLParser):
    """The names of all start tags, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.values: dict[str, str | None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        attributes = dict(attrs)
        if attributes.get("name"):
            self.values[str(attributes["name"])] = attributes.get("value")


def tags(page: str) -> Tags:
    parser = Tags()
    parser.feed(page)
    parser.close()
    return parser


@given(typed)
def test_what_was_typed_comes_back_exactly_in_an_input_and_makes_no_tag(value: str) -> None:
    page = tags(fill(PAGE, values={"name": value}))
    assert page.values["name"] == (value or None)
    assert page.names == tags(PAGE).names


@given(typed)
def test_what_was_typed_comes_back_exactly_in_a_textarea_and_makes_no_tag(value: str) -> None:
    filled = fill(PAGE, values={"text": value})
    area = one(filled, "//textarea")
    assert (area.text or "").removeprefix("\n") == value.removesuffix("")
    assert len(area) == 0
    assert tags(filled).names == tags(PAGE).names


@given(typed, typed)
def test_a_message_and_a_value_change_nothing_but_their_places(value: str, message: str) -> None:
    problems = [FieldProblem(field="name", message=message)]
    page = fill(PAGE, values={"name": value, "kind": value, "product": value}, problems=problems)
    assert tags(page).names == tags(PAGE).names
    slot = one(page, "//p[@id='name-error']")
    assert (slot.text or "") == message
    assert "hidden" not in slot.attrib


@pytest.mark.parametrize("value", ["\x00", "\x1f", "\x85", "\ud800", "\ufffe"])
def test_what_no_page_can_hold_becomes_the_replacement_character(value: str) -> None:
    assert tags(fill(PAGE, values={"name": f"a{value}b"})).values["name"] == "a\ufffdb"


def test_nothing_but_the_places_changes() -> None:
    page = fill(
        PAGE,
        values={
            "name": "Dana",
            "kind": "b",
            "product": "w",
            "text": "More",
            "website": "spam",
            "secret": "x",
        },
        problems=[FieldProblem(field="name", message="Enter more.")],
        summary="<h2>There is a problem</h2>",
        dropped=frozenset({"website"}),
    )
    expected = PAGE
    for old, new in (
        ("<title>", "<title>Error: "),
        ("<h1 autofocus>", "<h1>"),
        (
            '<div class="error-summary" id="error-summary" hidden></div>',
            '<div class="error-summary" id="error-summary" tabindex="-1" autofocus role="group" '
            'aria-labelledby="error-summary-title"><h2>There is a problem</h2></div>',
        ),
        (
            '<p class="field-error" id="name-error" hidden></p>',
            '<p class="field-error" id="name-error">Enter more.</p>',
        ),
        (
            '<input type="text" id="name" name="name" aria-describedby="name-hint" value="old">',
            '<input type="text" id="name" name="name" aria-describedby="name-error name-hint" value="Dana" '
            'aria-invalid="true">',
        ),
        ('value="a" checked>', 'value="a">'),
        ('value="b">', 'value="b" checked>'),
        ('<option value="" selected>', '<option value="">'),
        ('<option value="w">', '<option value="w" selected>'),
        ("old &lt;b&gt;</textarea>", "\nMore</textarea>"),
        (
            '<input type="hidden" name="idempotency_key" value="">',
            '<input type="hidden" name="idempotency_key">',
        ),
    ):
        assert expected.count(old) == 1
        expected = expected.replace(old, new)
    assert page == expected


def test_what_a_page_says_in_hidden_controls_stays_as_it_is_in_each_of_its_forms() -> None:
    page = (
        '<form><input type="hidden" name="action" value="leave"></form>'
        '<form><input type="hidden" name="action" value="topics"></form>'
        '<form><input type="hidden" name="policy" value="signed"></form>'
    )
    assert fill(page, values={"action": "topics"}) == page


def test_a_group_of_radios_tells_its_error_once() -> None:
    page = fill(PAGE, values={}, problems=[FieldProblem(field="kind", message="Choose.")], summary="<p>x</p>")
    group = one(page, "//fieldset")
    assert group.get("aria-describedby") == "kind-error"
    assert [radio.get("aria-invalid") for radio in group.xpath("input")] == [None, None]


def test_links_of_the_summary_lead_to_the_first_control_of_a_field() -> None:
    assert link_targets(PAGE) == {
        "website": "website",
        "name": "name",
        "kind": "kind-a",
        "product": "product",
        "secret": "secret",
        "text": "text",
    }


def test_a_page_without_the_agreed_markup_comes_back_as_it_was() -> None:
    page = "<p>No form <b>here</i> & <input name=x></p>"
    assert fill(page, values={"x": "1"}, problems=[FieldProblem(field="x", message="No.")]) == page
