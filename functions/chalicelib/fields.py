"""What a request may say: one declaration per field, which checks requests and makes the OpenAPI document
(`body_schemas.py`).

A field that is not declared here is not read anywhere. This module knows no HTTP and no store: it turns the
named texts of a body (`bodies.py`) into checked texts, or into every problem at once. Whether an agreement, a
product or a version exists is the domain's question, not one of shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from chalicelib.refusals import FieldProblem, Invalid

Shape = Literal["line", "text", "email", "number", "whole", "secret", "day", "time", "path", "words"]

WORD_PATTERN = r"[\t\n\r ]*[!-~]{1,100}[\t\n\r ]*"
MOST_WORDS = 80
"""Of a field of the shape "words", when they come as a list."""
HONEYPOT = "website"
IDEMPOTENCY_KEY = "idempotency_key"
NEXT = "next"

# RFC 5322's dot-atom and RFC 1034's labels: what every mail system takes, and nothing that a header could
# trip over: without “?” nothing is an encoded word, which Python reads even in an address.
EMAIL_PATTERN = (
    r"[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_EMAIL = re.compile(EMAIL_PATTERN)
_LOCAL_PART = 64
# C0 controls but tab and line feed, DEL, C1 controls, and what can turn the direction or the shape of a line.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# JSON's whole numbers are the same in every program up to here (RFC 8259, section 6).
MOST_NUMBER = 2**53 - 1
DAY_PATTERN, TIME_PATTERN = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", "[0-9]{1,2}:[0-9]{1,2}"
_TIMES = {"day": DAY_PATTERN, "time": TIME_PATTERN}
_UNKNOWN_TOLD = 20
_KEY_SHAPE = re.compile(r"[\x20-\x7e]+")
KEY_LIMIT = 200
# A path of our own site: no other host (`//`, `/\\`), nothing that a browser reads otherwise.
PATH_PATTERN = r"/(?![/\\])[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*"
_PATH = re.compile(PATH_PATTERN)
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One value that a field may have, and what it means to a person."""

    value: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Field:
    """One named value of a request.

    `label` begins a sentence about it ("Your name"), `ask` ends one that asks for it ("your name"),
    `meaning` is for the OpenAPI document, `limit` counts Unicode characters, `rows` is set where line breaks
    are allowed. Of the shape "words" it may be given several times (a list in JSON); its checked text is the
    words, each once, with a blank between them.
    """

    name: str
    label: str
    ask: str
    meaning: str
    limit: int
    example: str
    shape: Shape = "line"
    optional: bool = False
    choices: tuple[Choice, ...] = ()
    autocomplete: str = ""

    def values(self) -> tuple[str, ...]:
        return tuple(choice.value for choice in self.choices)


@dataclass(frozen=True, kw_only=True)
class Form:
    """The fields of one route's body, in the order in which a person meets them."""

    name: str
    title: str
    page: str  # where the site publishes its form, from the site's root; "" when it has none
    button: str
    fields: tuple[Field, ...]
    keyed: bool = False  # takes an idempotency key
    unpaced: bool = False  # one place may post it for many people; what it names wrongly is counted
    action: str = ""  # where it is sent to; "" for the plural of its name

    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


NAME = Field(
    name="name",
    label="Your name",
    ask="your name",
    meaning="Who writes.",
    limit=120,
    example="Dana Ortiz",
    autocomplete="name",
)
EMAIL = Field(
    name="email",
    label="Your e-mail address",
    ask="your e-mail address",
    meaning="Where the answer goes. One address.",
    limit=254,
    example="dana.ortiz@example.gov",
    shape="email",
    autocomplete="email",
)
ORGANIZATION = Field(
    name="organization",
    label="Your organization",
    ask="your organization",
    meaning="City, county, utility or company.",
    limit=160,
    example="City of Exampleville",
    optional=True,
    autocomplete="organization",
)
PHONE = Field(
    name="phone",
    label="Your phone number",
    ask="your phone number",
    meaning="For a call back. Digits, blanks, dashes, brackets, a leading + and an extension.",
    limit=40,
    example="+1 801 555 0100",
    optional=True,
    autocomplete="tel",
)
AGREEMENT = Field(
    name="agreement",
    label="The agreement number",
    ask="your agreement number",
    meaning="Number of the Update and Support agreement. Blanks and the kind of dash do not matter.",
    limit=40,
    example="AZ-1001",
    shape="number",
)
KEY = Field(
    name="key",
    label="The agreement key",
    ask="the agreement key",
    meaning="The secret that came with the agreement; who has signed in as one of its contacts needs none. "
    "Blanks around and within it do not matter.",
    limit=200,
    example="k7Qm-2f9x-…",
    shape="secret",
)
PRODUCT = Field(
    name="product",
    label="The product",
    ask="the product",
    meaning="The product's short name in the catalogue.",
    limit=60,
    example="cityworks",
)
VERSION = Field(
    name="version",
    label="The version",
    ask="the version",
    meaning="The version as text, exactly as the catalogue has it: 7.10 is not 7.1.",
    limit=40,
    example="23.10",
)
FILE = Field(
    name="file",
    label="The file",
    ask="the file",
    meaning="The file's name as the release page has it; needed when the release has several.",
    limit=160,
    optional=True,
    example="cityworks-23.10-server.zip",
)


def _optional(field: Field) -> Field:
    return replace(field, optional=True)


KIND = Field(
    name="kind",
    label="The kind of request",
    ask="what this is about",
    meaning="What the ticket is about; it decides who gets it.",
    limit=20,
    example="defect",
    choices=(
        Choice(value="question", meaning="A question about using the software"),
        Choice(value="defect", meaning="Something does not work as it should"),
        Choice(value="installation", meaning="Installing or upgrading"),
        Choice(value="session", meaning="A working session with a specialist"),
        Choice(value="enhancement", meaning="A wish for a later version"),
    ),
)
SEVERITY = Field(
    name="severity",
    label="How bad it is",
    ask="how bad it is",
    meaning="P1 (down) to P4 (no hurry); it decides by when we answer.",
    limit=2,
    example="P2",
    choices=(
        Choice(value="P1", meaning="Down: nobody can work"),
        Choice(value="P2", meaning="Severe: important work is held up"),
        Choice(value="P3", meaning="Moderate: there is a way around it"),
        Choice(value="P4", meaning="Low: a question or a small fault"),
    ),
)
SUBJECT = Field(
    name="subject",
    label="The summary",
    ask="a summary in one line",
    meaning="The matter in one line.",
    limit=120,
    example="Work orders do not open after the update",
)
DESCRIPTION = Field(
    name="description",
    label="The details",
    ask="what happened, and what you expected",
    meaning="Everything that helps: what was done, what happened, what was expected. Plain text.",
    limit=20_000,
    example="Since this morning …",
    shape="text",
)

SESSION_DATE = Field(
    name="session_date",
    label="The day of the session",
    ask="the day of the session",
    meaning="For a session: the day that you would like, as 2026-12-01. In our opening hours.",
    limit=10,
    example="2026-12-01",
    optional=True,
    shape="day",
)
SESSION_TIME = Field(
    name="session_time",
    label="The time of the session",
    ask="the time of the session",
    meaning="For a session: the hour that you would like, as 14:30, in our time zone.",
    limit=5,
    example="14:30",
    optional=True,
    shape="time",
)

TICKET = Form(
    name="ticket",
    title="Send a ticket",
    page="support/ticket/",
    button="Send the ticket",
    fields=(
        NAME,
        EMAIL,
        ORGANIZATION,
        PHONE,
        _optional(AGREEMENT),
        _optional(PRODUCT),
        _optional(VERSION),
        KIND,
        SEVERITY,
        SUBJECT,
        DESCRIPTION,
        SESSION_DATE,
        SESSION_TIME,
    ),
    keyed=True,
)
MESSAGE = Form(
    name="message",
    title="Add to a ticket",
    page="",
    button="Send the message",
    fields=(
        Field(
            name="text",
            label="Your message",
            ask="your message",
            meaning="What to add to the ticket. Plain text.",
            limit=20_000,
            example="It also happens after a restart.",
            shape="text",
        ),
    ),
    keyed=True,
)
CLOSE = Form(name="close", title="Close a ticket", page="", button="This is solved", fields=())
ATTACHMENT = Form(
    name="attachment",
    title="Attach a file",
    page="",
    button="Attach the file",
    fields=(
        Field(
            name="name",
            label="The file's name",
            ask="the file's name",
            meaning="Name of the file that will be uploaded, without a folder.",
            limit=160,
            example="error.log",
        ),
        Field(
            name="content_type",
            label="The file's type",
            ask="the file's type",
            meaning="Media type of the file.",
            limit=120,
            example="text/plain",
            optional=True,
        ),
        Field(
            name="size",
            label="The file's size",
            ask="the file's size",
            meaning="Size in bytes, digits only.",
            limit=12,
            example="2048",
            shape="whole",
        ),
    ),
)
RENEWAL = Form(
    name="renewal",
    title="Look up a renewal",
    page="support/renewal/",
    button="Look it up",
    fields=(AGREEMENT, _optional(KEY)),
)
DOWNLOAD = Form(
    name="download",
    title="Download a release",
    page="support/download/",
    button="Get the download",
    fields=(AGREEMENT, _optional(KEY), PRODUCT, VERSION, FILE),
)
UPDATES = Form(
    name="updates",
    title="Is there an update?",
    page="",
    button="Look",
    fields=(PRODUCT, VERSION, _optional(AGREEMENT), _optional(KEY)),
)
TOPICS = Field(
    name="topics",
    label="What you want to receive",
    ask="what you want to receive",
    meaning="Topics: newsletter, releases, security, life-cycle, or releases/ and a product's short name. "
    "Several in a list, or with blanks between them.",
    limit=2000,
    example="newsletter",
    shape="words",
)
SUBSCRIPTION = Form(
    name="subscription",
    title="Subscribe",
    page="support/subscribe/",
    button="Subscribe",
    fields=(EMAIL, TOPICS),
)
ONE_CLICK = "List-Unsubscribe"
LEAVING = Form(
    name="leaving",
    title="Leave, or choose what you get",
    unpaced=True,
    page="",
    button="Leave",
    fields=(
        Field(
            name="action",
            label="What to do",
            ask="what to do",
            meaning="Without it: leave.",
            limit=10,
            example="leave",
            optional=True,
            choices=(
                Choice(value="leave", meaning="Get nothing any more"),
                Choice(value="undo", meaning="Take leaving back"),
                Choice(value="topics", meaning="Get these topics and no others"),
            ),
        ),
        _optional(TOPICS),
        Field(
            name=ONE_CLICK,
            label="List-Unsubscribe",
            ask="One-Click",
            meaning="What a mail program sends when its own button is pressed (RFC 8058).",
            limit=40,
            example="One-Click",
            optional=True,
        ),
    ),
)
SIGN_IN = Form(
    name="sign-in",
    title="Sign in",
    page="support/sign-in/",
    button="Send me a link",
    action="/api/sign-in",
    fields=(
        EMAIL,
        Field(
            name=NEXT,
            label="The page to go on to",
            ask="the page to go on to",
            meaning="A path of our own site, where the sign-in leads.",
            limit=500,
            example="/api/me",
            shape="path",
            optional=True,
        ),
    ),
)
REDEEM = Form(
    name="redeem",
    title="Sign in",
    page="",
    button="Sign in",
    fields=(
        Field(
            name="code",
            label="The code",
            ask="the code",
            meaning="The code that stands in the browser that asked for the link; there it is not needed.",
            limit=40,
            example="7K4-P92",
            optional=True,
        ),
    ),
)
SIGN_OUT = Form(
    name="sign-out",
    title="Sign out",
    page="",
    button="Sign out",
    fields=(
        Field(
            name="everywhere",
            label="Everywhere",
            ask="whether to sign out everywhere",
            meaning="Ends every session of the address, not only this one.",
            limit=3,
            example="yes",
            choices=(Choice(value="yes", meaning="Sign out everywhere"),),
            optional=True,
        ),
        Field(
            name="session",
            label="The session",
            ask="the session to end",
            meaning="The id of one of one's own sessions, as /api/me lists them: that one is ended.",
            limit=40,
            example="3f2a9c4be1d07756",
            optional=True,
        ),
    ),
)
MY_CALENDAR = Form(
    name="my calendar",
    title="My calendar",
    page="",
    button="Make a new address",
    fields=(
        Field(
            name="remove",
            label="Take it away",
            ask="whether to take it away",
            meaning="Takes the calendar's address away, and makes no new one.",
            limit=3,
            example="yes",
            choices=(Choice(value="yes", meaning="Take it away"),),
            optional=True,
        ),
    ),
)
NOTHING = Form(name="nothing", title="", page="", button="", fields=())
FORMS = (
    *(TICKET, MESSAGE, CLOSE, ATTACHMENT, RENEWAL, DOWNLOAD, UPDATES, SUBSCRIPTION, LEAVING),
    *(SIGN_IN, REDEEM, SIGN_OUT, MY_CALENDAR),
)


def check(form: Form, values: Mapping[str, Any], *, strict: bool) -> dict[str, str]:
    """The checked text of every field of `form`, "" for an optional one that was not given.

    `values` is what `bodies.read` returned. `strict` refuses names that the form does not have, with a
    suggestion: a typo must not pass as "not given" (a browser adds names of its own, a JSON client does not).
    Raises `Invalid` with every problem at once, in the form's order.
    """
    problems: list[FieldProblem] = []
    checked: dict[str, str] = {}
    for field in form.fields:
        try:
            checked[field.name] = one(field, values.get(field.name))
        except ValueError as trouble:
            problems.append(FieldProblem(field=field.name, message=str(trouble)))
    if values.get(HONEYPOT) not in (None, ""):
        problems.append(
            FieldProblem(
                field=HONEYPOT,
                message="The hidden field “website” is a trap for robots and must stay empty. Send again.",
            )
        )
    if strict:
        problems += _unknown(form, values)
    if problems:
        raise Invalid(problems)
    return checked


def one(field: Field, value: Any) -> str:
    """The checked text of one field; `value` is a text, a whole number or nothing.

    Raises `ValueError` with one sentence for the person who typed it.
    """
    if field.shape in ("number", "whole"):
        value = _number_as_text(field, value)
    if value is None:
        value = ""
    if field.shape == "words" and isinstance(value, list):
        return _words(field, value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        raise ValueError(f"{field.label} was given {len(value)} times; give it once.")
    if not isinstance(value, str):
        raise ValueError(f"{field.label} must be text such as “{field.example}”, not {_json_name(value)}.")
    if _SURROGATE.search(value):
        raise ValueError(f"{field.label} holds half of a character (a lone surrogate); type it again.")
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL.search(text):
        raise ValueError(f"{field.label} holds a control character; use plain text.")
    if len(text) > field.limit:
        raise ValueError(f"{field.label} must have at most {field.limit:,} characters; it has {len(text):,}.")
    if not field.choices:
        text = text.strip()
    if field.shape != "text":
        if "\n" in text:
            raise ValueError(f"{field.label} must be one line.")
        text = text.replace("\t", " ")
    if not text:
        if field.optional:
            return ""
        chosen = field.choices or field.shape == "words"
        raise ValueError(f"Choose {field.ask}." if chosen else f"Enter {field.ask}.")
    return _of_shape(field, text)


def idempotency_key(value: Any) -> str | None:
    """The checked idempotency key of a header or hidden field, None when there is none.

    Raises `Invalid` when it is not one text of 1 to 200 plain ASCII characters: a key that were passed over
    would protect nobody.
    """
    text = value.strip(" \t\r\n") if isinstance(value, str) else value
    if text is None or (text == "" and len(value) <= KEY_LIMIT):
        return None
    if not isinstance(text, str) or not _KEY_SHAPE.fullmatch(text) or len(value) > KEY_LIMIT:
        raise Invalid(
            [
                FieldProblem(
                    field=IDEMPOTENCY_KEY,
                    message="The idempotency key must be 1 to 200 plain ASCII characters, such as a UUID.",
                )
            ]
        )
    return text


def _of_shape(field: Field, text: str) -> str:
    if field.choices:
        if text not in field.values():
            raise ValueError(f"Choose {field.ask}: {_listing(field.values())}.")
        return text
    if field.shape == "email":
        if not _EMAIL.fullmatch(text) or len(text.split("@")[0]) > _LOCAL_PART:
            raise ValueError(f"Enter {field.ask} in full, such as {field.example}.")
        return text
    if field.shape in _TIMES and not re.fullmatch(_TIMES[field.shape], text):
        raise ValueError(f"Enter a {field.shape} such as {field.example}.")
    if field.shape == "number":
        return re.sub(r"\s+", "", _DASHES.sub("-", text))
    if field.shape == "whole":
        digits = re.sub(r"\s+", "", text)
        if not re.fullmatch(r"0*[1-9][0-9]*", digits):
            raise ValueError(f"{field.label} must be a whole number such as {field.example}.")
        return digits
    if field.shape == "path":
        if not _PATH.fullmatch(text):
            raise ValueError(f"{field.label} must be a path of this site such as {field.example}.")
        return text
    if field.shape == "secret":
        return re.sub(r"\s+", "", text)
    if field.shape == "words":
        return " ".join(dict.fromkeys(text.split()))
    if field.name == PHONE.name and not re.search("[0-9]", text):
        raise ValueError(f"Enter {field.ask} with its digits, such as {field.example}, or leave it empty.")
    return text


def _words(field: Field, value: list[Any]) -> str:
    if len(value) > MOST_WORDS:
        raise ValueError(f"{field.label} must be at most {MOST_WORDS} words; these are {len(value):,}.")
    if not all(isinstance(one, str) and re.fullmatch(WORD_PATTERN, one) for one in value):
        raise ValueError(f"{field.label} must be words such as “{field.example}”.")
    if not value and not field.optional:
        raise ValueError(f"Choose {field.ask}.")
    return " ".join(dict.fromkeys(one.strip() for one in value))


def _number_as_text(field: Field, value: Any) -> Any:
    """A whole number as its digits, anything else as it came; 7.0 is whole, as in JSON Schema."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > MOST_NUMBER:
            raise ValueError(f"{field.label} is too large for a number; send it as text.")
        return str(value)
    return value


def _unknown(form: Form, values: Mapping[str, Any]) -> Iterable[FieldProblem]:
    known = [*form.names(), HONEYPOT, *([IDEMPOTENCY_KEY] if form.keyed else [])]
    names = sorted(set(values) - set(known))
    for name in names[:_UNKNOWN_TOLD]:
        shown = name if len(name) <= 40 and name.isprintable() else "with this name"
        import difflib

        close = difflib.get_close_matches(name[:80], form.names(), n=1)
        hint = f"known are {_listing(form.names())}." if form.fields else "this address takes none."
        if close:
            hint = f"did you mean “{close[0]}”?"
        yield FieldProblem(
            field=shown if shown == name else "(unknown)", message=f"There is no field {shown}; {hint}"
        )
    if len(names) > _UNKNOWN_TOLD:
        more = len(names) - _UNKNOWN_TOLD
        yield FieldProblem(field="(unknown)", message=f"There are {more:,} more fields that are not known.")


def _listing(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _json_name(value: Any) -> str:
    names = {bool: "true or false", dict: "an object", list: "an array", int: "a number", float: "a number"}
    return names.get(type(value), "something else")
