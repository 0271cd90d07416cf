"""What `fields.check` takes, as JSON Schema (2020-12, as OpenAPI 3.1 uses it), read from the same fields.

A law holds the two together: a schema allows what the check takes, and nothing else. (One thing no schema can
say: the two characters of a line end as browsers send it count as one.)
"""

from __future__ import annotations

from typing import Any

from chalicelib.fields import (
    DAY_PATTERN,
    EMAIL_PATTERN,
    HONEYPOT,
    IDEMPOTENCY_KEY,
    KEY_LIMIT,
    MOST_NUMBER,
    MOST_WORDS,
    PATH_PATTERN,
    TIME_PATTERN,
    WORD_PATTERN,
    Field,
    Form,
)

Schema = dict[str, Any]

# The same classes as in `fields`: blanks that are stripped, a solid character, and any of one line or of
# several.
_BLANK = r"[\t\n\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_INNER = r"[\t \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_NEVER = r"\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufffe\uffff"
_SOLID = rf"[^\u0000-\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000{_NEVER}]"
_LINE = rf"[^\u0000-\u0008\u000a-\u001f{_NEVER}]"
_TEXT = rf"[^\u0000-\u0008\u000b\u000c\u000e-\u001f{_NEVER}]"

_PATTERNS = {
    "line": rf"{_SOLID}{_LINE}*",
    "words": rf"{_SOLID}{_LINE}*",
    "secret": rf"{_SOLID}{_LINE}*",
    "number": rf"{_SOLID}{_LINE}*",
    "phone": rf"{_LINE}*[0-9]{_LINE}*",
    "text": rf"{_SOLID}{_TEXT}*",
    "whole": rf"(0{_INNER}*)*[1-9]([0-9]|{_INNER})*",
    "email": EMAIL_PATTERN,
    "day": DAY_PATTERN,
    "time": TIME_PATTERN,
    "path": PATH_PATTERN,
}

_TRAP = {"maxLength": 0, "description": "A trap for robots: leave it empty."}


def of_json(form: Form) -> Schema:
    """A JSON body: whole numbers may be numbers, what is optional may be null, no name is unknown."""
    properties = {field.name: _described(field, _json_value(field)) for field in form.fields}
    if form.keyed:
        properties[IDEMPOTENCY_KEY] = _key_member({**key(), "type": ["string", "null"]})
    properties[HONEYPOT] = {"type": ["string", "null"], **_TRAP}
    return {
        "type": "object",
        "properties": properties,
        "required": _required(form),
        "additionalProperties": False,
    }


def of_form(form: Form) -> Schema:
    """A form's body: texts, an empty one for what is not given, and whatever names a browser adds."""
    properties = {field.name: _described(field, _form_value(field)) for field in form.fields}
    if form.keyed:
        properties[IDEMPOTENCY_KEY] = _key_member(key())
    properties[HONEYPOT] = {"type": "string", **_TRAP}
    return {"type": "object", "properties": properties, "required": _required(form)}


def key() -> Schema:
    """An idempotency key; an empty one is none."""
    return {"type": "string", "maxLength": KEY_LIMIT, "pattern": "^[ -~]*$"}


def _required(form: Form) -> list[str]:
    return [field.name for field in form.fields if not field.optional]


def _described(field: Field, schema: Schema) -> Schema:
    meanings = " ".join(f"`{choice.value}`: {choice.meaning}." for choice in field.choices)
    return {**schema, "description": f"{field.meaning} {meanings}".strip(), "examples": [field.example]}


def _key_member(schema: Schema) -> Schema:
    pattern = r"^[\t\n\r ]*[ -~]*[\t\n\r ]*$"
    return {**schema, "pattern": pattern, "description": "The same as the header Idempotency-Key, for forms."}


def _form_value(field: Field) -> Schema:
    if field.shape == "words":
        return {"anyOf": [_text(field), _list_of_words(field)]}
    return _text(field)


def _json_value(field: Field) -> Schema:
    text = _text(field)
    kinds = ["string"]
    if field.shape in ("number", "whole"):
        most = min(MOST_NUMBER, 10**field.limit - 1)
        kinds.append("integer")
        text |= {"minimum": 1 if field.shape == "whole" else -most, "maximum": most}
    if field.shape == "words":
        null = [{"type": "null"}] if field.optional else []
        return {"anyOf": [{**text, "type": "string"}, _list_of_words(field), *null]}
    if field.optional:
        kinds.append("null")
        if field.choices:
            text["enum"] = [*text["enum"], None]
    return {**text, "type": kinds if len(kinds) > 1 else kinds[0]}


def _list_of_words(field: Field) -> Schema:
    return {
        "type": "array",
        "items": {"type": "string", "pattern": f"^{WORD_PATTERN}$"},
        "minItems": 0 if field.optional else 1,
        "maxItems": MOST_WORDS,
    }


def _text(field: Field) -> Schema:
    if field.choices:
        return {"type": "string", "enum": [*field.values(), *([""] if field.optional else [])]}
    shape = "phone" if field.name == "phone" else field.shape
    inner = f"{_BLANK}*{_PATTERNS[shape]}"
    pattern = f"^({inner})?{_BLANK}*$" if field.optional else f"^{inner}{_BLANK}*$"
    schema: Schema = {"type": "string", "maxLength": field.limit, "pattern": pattern}
    if not field.optional:
        schema["minLength"] = 1
    if field.shape == "email":
        schema["allOf"] = [{"pattern": f"^{_BLANK}*[^@]{{1,64}}@"}]
    if field.shape == "secret":
        schema["format"] = "password"
    return schema
