"""The law between a form's check and its schema: neither allows what the other forbids."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import body_schemas, fields
from chalicelib.fields import Field, Form
from chalicelib.refusals import Invalid

FIELDS = sorted(
    {(form.name, field.name) for form in fields.FORMS for field in form.fields}, key=lambda pair: pair
)
FORMS = {form.name: form for form in fields.FORMS}


@cache
def validator(form: str, kind: str) -> jsonschema.Draft202012Validator:
    made = body_schemas.of_json if kind == "json" else body_schemas.of_form
    return jsonschema.Draft202012Validator(made(FORMS[form]))


def allows(form: str, kind: str, name: str, value: Any) -> bool:
    """Whether the schema of one field takes a value."""
    schema = validator(form, kind).schema["properties"][name]
    return bool(validator(form, kind).evolve(schema=schema).is_valid(value))


def taken(field: Field, value: Any) -> str | None:
    """What the check makes of a value, None when it is refused."""
    try:
        return fields.one(field, value)
    except ValueError:
        return None


def values(form: str, name: str) -> st.SearchStrategy[Any]:
    """Values near the border: what the pattern makes, with something added, and anything that JSON knows."""
    schema = body_schemas.of_json(FORMS[form])["properties"][name]
    if "anyOf" in schema:
        text, words, *_ = schema["anyOf"]
        word = st.from_regex(words["items"]["pattern"]) | st.sampled_from(["", "a b", "x" * 101, "é"])
        many = st.sampled_from([["a"] * fields.MOST_WORDS, ["a"] * (fields.MOST_WORDS + 1)])
        return st.from_regex(text["pattern"]) | st.lists(word, max_size=3) | many
    made = st.sampled_from(schema["enum"]) if "enum" in schema else st.from_regex(schema["pattern"])
    odd = st.sampled_from(
        ["", " ", "\t", "\n", "\r\n", "\x00", "\x1f", "\x85", "\u2003", "\u2028", "\ufeff", "0", "é"]
    )
    near = st.tuples(odd, made, odd).map(lambda parts: "".join(str(part) for part in parts))
    json = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    return made | near | st.text() | json | st.lists(st.text(), max_size=2)


@pytest.mark.parametrize(("form", "name"), FIELDS)
@given(data=st.data())
def test_a_schema_allows_exactly_what_the_check_takes(form: str, name: str, data: Any) -> None:
    field = next(field for field in FORMS[form].fields if field.name == name)
    value = data.draw(values(form, name))
    checked = taken(field, value)
    if isinstance(value, str):
        value = value.replace("\r\n", "\n")
    assert allows(form, "json", name, value) == (checked is not None)
    if isinstance(value, str):
        assert allows(form, "form", name, value) == allows(form, "json", name, value)
    if checked:
        assert allows(form, "form", name, checked)
        assert fields.one(field, checked) == checked


@given(st.text() | st.from_regex("^[ -~]*$") | st.none() | st.integers() | st.lists(st.text()))
def test_the_schema_of_an_idempotency_key_allows_exactly_what_the_check_takes(value: Any) -> None:
    taken = True
    try:
        fields.idempotency_key(value)
    except Invalid:
        taken = False
    assert allows("ticket", "json", fields.IDEMPOTENCY_KEY, value) == taken


@pytest.mark.parametrize("form", fields.FORMS, ids=lambda form: form.name)
def test_a_name_that_a_json_schema_forbids_is_refused_and_a_browsers_own_are_let_be(form: Form) -> None:
    example = {field.name: field.example for field in form.fields}
    odd = {**example, "x-added": "1"}
    assert validator(form.name, "json").is_valid(example)
    assert not validator(form.name, "json").is_valid(odd)
    assert validator(form.name, "form").is_valid(odd)
    assert set(fields.check(form, odd, strict=False)) == set(form.names())
    with pytest.raises(Invalid):
        fields.check(form, odd, strict=True)
    for trap in ("", None, "spam"):
        trapped = {**example, fields.HONEYPOT: trap}
        if validator(form.name, "json").is_valid(trapped):
            assert set(fields.check(form, trapped, strict=True)) == set(form.names())
        else:
            with pytest.raises(Invalid):
                fields.check(form, trapped, strict=True)
