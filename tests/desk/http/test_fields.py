"""What a request may say, and the words for what it may not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import bodies, fields
from chalicelib.refusals import Invalid, Refused, TooLarge

GOOD = {
    "name": "Dana Ortiz",
    "email": "dana@example.gov",
    "organization": "City of Exampleville",
    "kind": "question",
    "severity": "P3",
    "subject": "How do I print?",
    "description": "One\r\ntwo",
}


def problems(values: dict[str, Any], *, strict: bool = True) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        fields.check(fields.TICKET, values, strict=strict)
    return [(problem.field, problem.message) for problem in caught.value.fields]


def test_a_sound_request_gives_every_field_and_empty_text_for_what_is_optional() -> None:
    assert fields.check(fields.TICKET, GOOD, strict=True) == {
        **GOOD,
        "description": "One\ntwo",
        "phone": "",
        "agreement": "",
        "product": "",
        "version": "",
        "session_date": "",
        "session_time": "",
    }


def test_every_problem_is_told_at_once_in_the_order_of_the_form() -> None:
    assert problems({"email": "nobody", "severity": "P9", "subject": "x" * 121, "website": "spam"}) == [
        ("name", "Enter your name."),
        ("email", "Enter your e-mail address in full, such as dana.ortiz@example.gov."),
        ("kind", "Choose what this is about."),
        ("severity", "Choose how bad it is: P1, P2, P3 or P4."),
        ("subject", "The summary must have at most 120 characters; it has 121."),
        ("description", "Enter what happened, and what you expected."),
        ("website", "The hidden field “website” is a trap for robots and must stay empty. Send again."),
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a\x00b", "Your name holds a control character; use plain text."),
        ("a\x1b[31m", "Your name holds a control character; use plain text."),
        ("a\u202eb", "Your name holds a control character; use plain text."),
        ("a\ud800b", "Your name holds half of a character (a lone surrogate); type it again."),
        ("a\nb", "Your name must be one line."),
        ("  \t ", "Enter your name."),
        (["a", "b"], "Your name was given 2 times; give it once."),
        (7, "Your name must be text such as “Dana Ortiz”, not a number."),
        (True, "Your name must be text such as “Dana Ortiz”, not true or false."),
        ({}, "Your name must be text such as “Dana Ortiz”, not an object."),
        ([1], "Your name must be text such as “Dana Ortiz”, not an array."),
    ],
)
def test_what_is_no_text_is_refused(value: object, message: str) -> None:
    assert problems({**GOOD, "name": value}) == [("name", message)]


@pytest.mark.parametrize(
    "address",
    [
        "a@b",
        "a b@example.gov",
        "a@example.gov\nBcc: x@y.zz",
        "a..b@example.gov",
        "@example.gov",
        "ä@example.gov",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert [field for field, _ in problems({**GOOD, "email": address})] == ["email"]


def test_a_name_that_the_form_does_not_have_is_refused_with_a_suggestion() -> None:
    assert problems({**GOOD, "severty": "P1", "zzz": ""}) == [
        ("severty", "There is no field severty; did you mean “severity”?"),
        (
            "zzz",
            "There is no field zzz; known are name, email, organization, phone, agreement, product, version, "
            "kind, severity, subject, description, session_date or session_time.",
        ),
    ]


def test_a_browser_may_add_names_of_its_own() -> None:
    assert fields.check(fields.TICKET, {**GOOD, "send": "1"}, strict=False)["name"] == "Dana Ortiz"


@pytest.mark.parametrize("typed", ["AZ-1001", " AZ 10 01 ", "AZ\u20131001", "AZ\u22121001"])
def test_blanks_and_kinds_of_dashes_in_a_number_do_not_matter(typed: str) -> None:
    wanted = fields.one(fields.AGREEMENT, typed).replace("-", "")
    assert wanted == "AZ1001"


def test_a_number_may_come_as_a_number() -> None:
    assert fields.one(fields.AGREEMENT, 1001) == "1001"


@pytest.mark.parametrize("typed", ["-1", "1.5", "1e3", "²"])
def test_a_size_is_digits(typed: str) -> None:
    size = fields.ATTACHMENT.fields[2]
    with pytest.raises(ValueError, match=r"^The file's size must be a whole number such as 2048.$"):
        fields.one(size, typed)


@given(
    st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()))
)
def test_any_json_object_is_checked_or_refused_by_name(values: dict[str, Any]) -> None:
    for form in fields.FORMS:
        try:
            checked = fields.check(form, values, strict=True)
        except Invalid as refused:
            assert refused.fields
        else:
            assert set(checked) == set(form.names())


@given(
    st.binary(max_size=200),
    st.sampled_from([*bodies.ACCEPTED, "", "text/plain", "application/json; charset=x"]),
)
def test_any_bytes_are_read_or_refused(body: bytes, content_type: str) -> None:
    try:
        said = bodies.read(content_type, body)
    except Refused as refused:
        assert refused.status in (400, 413, 415)
    else:
        assert all(isinstance(name, str) for name in said.values)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "The body is not JSON: line 1, column 2."),
        (b"[1]", 'The body must be a JSON object such as {"name": "value"}.'),
        (b"\xff", "The body is not UTF-8 text."),
        (b"[" * 100_000, "The body is nested too deeply."),
        (b'{"a": ' + b"9" * 5000 + b"}", "The body is not JSON: it holds a number that is too long."),
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes, detail: str) -> None:
    with pytest.raises(Refused) as caught:
        bodies.read("application/json", body)
    assert (caught.value.status, caught.value.detail) == (400, detail)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"a=%ff", "The form is not UTF-8 text, percent-encoded."),
        ("a=ä".encode(), "The form is not UTF-8 text, percent-encoded."),
        (b"&".join(b"a%d=1" % n for n in range(101)), "The form has more than 100 fields."),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, detail: str) -> None:
    with pytest.raises(Refused) as caught:
        bodies.read("application/x-www-form-urlencoded", body)
    assert (caught.value.status, caught.value.detail) == (400, detail)


def test_a_name_given_twice_is_told_in_json_and_in_forms() -> None:
    for content_type, body in (
        ("application/json", b'{"name": "a", "name": "b"}'),
        ("application/x-www-form-urlencoded", b"name=a&name=b"),
    ):
        assert bodies.read(content_type, body).values == {"name": ["a", "b"]}


def test_a_body_may_be_as_long_as_the_limit_and_no_longer() -> None:
    filler = b'{"a": "' + b"x" * (bodies.LIMIT - 9) + b'"}'
    assert len(filler) == bodies.LIMIT
    assert list(bodies.read("application/json", filler).values) == ["a"]
    with pytest.raises(
        TooLarge, match=r"^This address takes at most 256 KB in one request. Nothing was stored.$"
    ):
        bodies.read("application/json", filler + b" ")


@pytest.mark.parametrize("key", ["a\tb", "ä", "x" * 201, "a\x00"])
def test_an_idempotency_key_is_printable_ascii(key: str) -> None:
    with pytest.raises(Invalid) as caught:
        fields.idempotency_key(key)
    assert [(problem.field, problem.message) for problem in caught.value.fields] == [
        (
            "idempotency_key",
            "The idempotency key must be 1 to 200 plain ASCII characters, such as a UUID.",
        )
    ]


@pytest.mark.parametrize("key", [5, ["a", "a"], {"a": "b"}, True])
def test_an_idempotency_key_that_is_no_text_is_refused_and_not_passed_over(key: object) -> None:
    with pytest.raises(Invalid):
        fields.idempotency_key(key)


def test_a_flood_of_unknown_names_is_counted_and_not_repeated() -> None:
    told = problems({**GOOD, **{f"x{number:05}": 1 for number in range(10_000)}})
    assert len(told) == 21
    assert told[-1] == ("(unknown)", "There are 9,980 more fields that are not known.")
