"""Bodies of requests: bytes in, named values out. Knows JSON and HTML forms, and no field.

Values are texts as the client sent them (JSON may hold other types: `fields.check` refuses those by name). A
name given twice becomes a list of its texts, so that `fields.check` can name it too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from chalicelib.refusals import Refused, TooLarge

LIMIT = 256 * 1024
LIMIT_TEXT = "256 KB"
JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
ACCEPTED = (JSON_TYPE, FORM_TYPE)
MOST_FIELDS = 100


class UnknownContentType(Refused):
    """A body of a type or character set that nothing here reads."""

    status = 415
    title = "Unknown content type"


@dataclass(frozen=True, kw_only=True)
class Body:
    """What a request's body says: named values, and whether a form said it."""

    values: Mapping[str, Any]
    form: bool


def is_form(content_type: str) -> bool:
    """Whether a Content-Type header names an HTML form of either encoding."""
    return content_type.split(";")[0].strip().lower() in (FORM_TYPE, "multipart/form-data")


def is_multipart(content_type: str) -> bool:
    """Whether a Content-Type header names a form as multipart/form-data, which nothing here reads."""
    return content_type.split(";")[0].strip().lower() == "multipart/form-data"


def read(content_type: str, body: bytes) -> Body:
    """The named values of a body; an empty body without a type has none.

    Raises `TooLarge` (413) above `LIMIT` bytes, `UnknownContentType` (415) for another content type or
    character set, and `Refused` (400) for bytes that are not what their type says.
    """
    if len(body) > LIMIT:
        raise TooLarge(f"This address takes at most {LIMIT_TEXT} in one request. Nothing was stored.")
    media, _, parameters = content_type.partition(";")
    media = media.strip().lower()
    if not media and not body:
        return Body(values={}, form=False)
    if media not in ACCEPTED or _charset(parameters) not in ("", "utf-8", "utf8", "us-ascii"):
        raise UnknownContentType(f"This address takes {JSON_TYPE} and {FORM_TYPE}, both as UTF-8.")
    if media == JSON_TYPE:
        return Body(values=_json(body), form=False)
    return Body(values=_form(body), form=True)


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_pairs)
    except UnicodeDecodeError:
        raise _unreadable("The body is not UTF-8 text.") from None
    except RecursionError:
        raise _unreadable("The body is nested too deeply.") from None
    except json.JSONDecodeError as trouble:
        raise _unreadable(f"The body is not JSON: line {trouble.lineno}, column {trouble.colno}.") from None
    except ValueError:
        raise _unreadable("The body is not JSON: it holds a number that is too long.") from None
    if not isinstance(value, dict):
        raise _unreadable('The body must be a JSON object such as {"name": "value"}.')
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        values[name] = [values[name], value] if name in values else value
    return values


def _form(body: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except UnicodeDecodeError:
        raise _unreadable("The form is not UTF-8 text, percent-encoded.") from None
    except ValueError:
        raise _unreadable(f"The form has more than {MOST_FIELDS} fields.") from None
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            earlier = values[name]
            values[name] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        else:
            values[name] = value
    return values


def _unreadable(detail: str) -> Refused:
    return Refused(detail, title="The request cannot be read")
