"""The shapes of the desk's answers as JSON Schema (2020-12, as OpenAPI 3.1 uses it).

Where an answer is a value of the domain, its shape is read from that value's own fields; the rest is said
here. A test closes every shape and holds every answer against it: a member that is missing, or not declared,
fails.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from chalicelib import entitlement
from chalicelib.catalog import File
from chalicelib.lookups import DownloadAnswer, UpdatesAnswer
from chalicelib.me import Me, MyRelease, MySession, MyTicket
from chalicelib.standing import RenewalAnswer
from chalicelib.subscriptions import SubscriptionView
from chalicelib.tickets import TicketReceipt, TicketView

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
DAY: Schema = {"type": "string", "format": "date"}
INSTANT: Schema = {"type": "string", "format": "date-time"}
WHOLE: Schema = {"type": "integer"}
BOOL: Schema = {"type": "boolean"}
LINK: Schema = {"type": "string", "format": "uri"}
FREE: Schema = {"type": "object"}

_PLAIN: dict[Any, Schema] = {str: TEXT, int: WHOLE, bool: BOOL, datetime: INSTANT, date: DAY}


def shape(properties: dict[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """An object with these members; all but the optional ones are always there."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def of(kind: type, *, without: tuple[str, ...] = (), **instead: Schema) -> Schema:
    """The shape of a frozen value's fields: `without` those that are not told, `instead` of those that are
    told in another way or under another name."""
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind) if field.name not in (*without, *instead)]
    return shape({name: _of_type(hints[name]) for name in names} | instead)


def _of_type(hint: Any) -> Schema:
    if hint in _PLAIN:
        return _PLAIN[hint]
    inner, origin = get_args(hint), get_origin(hint)
    if origin in (Union, types.UnionType) and type(None) in inner:
        (other,) = [one for one in inner if one is not type(None)]
        return or_null(_of_type(other))
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is tuple:
        return many(_of_type(inner[0]))
    if origin is not None and issubclass(origin, Mapping):
        return FREE
    if is_dataclass(hint) and isinstance(hint, type):
        return of(hint)
    raise TypeError(f"no shape for {hint!r}: say it in shapes.py")


DECISION: dict[str, Schema] = {
    "rule": {"enum": [rule.name for rule in entitlement.RULES]},
    "compared": {"type": "object", "additionalProperties": DAY},
    "would_change": TEXT,
}


def decided(schema: Schema) -> Schema:
    """An answer that also says which rule of entitlement decided, where one did."""
    return {**schema, "properties": schema["properties"] | DECISION}


MOMENT = shape({"iso": INSTANT, "text": TEXT})
ROUTE = shape({"name": TEXT, "because": TEXTS})
UPLOAD_FORM = shape(
    {
        "url": LINK,
        "fields": {"type": "object", "additionalProperties": TEXT},
        "expires": INSTANT,
        "max_size": WHOLE,
    }
)
KNOWN = or_null(
    shape(
        {
            "product": TEXT,
            "version": TEXT,
            "url": TEXT,
            "supported_until": or_null(DAY),
            "supported_until_text": TEXT,
            "known_issues": many(shape({"id": TEXT, "title": TEXT, "url": TEXT})),
            "fixed_in": many(shape({"version": TEXT, "url": TEXT, "fixes": TEXTS, "covered": or_null(BOOL)})),
            "because": TEXTS,
        }
    )
)

SHAPES: dict[str, Schema] = {
    "Document": {"type": "object", "additionalProperties": True},
    "Health": shape(
        {
            "ok": BOOL,
            "store": TEXT,
            "catalog": or_null(shape({"format": WHOLE, "build": TEXT})),
            "oldest_unsent_mail": or_null(INSTANT),
        }
    ),
    "Receipt": of(TicketReceipt, without=("token",), url=LINK, route=ROUTE, known=KNOWN),
    "Ticket": of(
        TicketView,
        without=("received_text", "reply_by_text", "route_name"),
        route=TEXT,
        messages=many(shape({"who": TEXT, "when": MOMENT, "text": TEXT})),
        history=many(shape({"when": MOMENT, "text": TEXT})),
        session=or_null(
            shape(
                {
                    "state": {"type": "string", "enum": ["asked", "planned", "cancelled"]},
                    "start": INSTANT,
                    "start_text": TEXT,
                    "minutes": WHOLE,
                    "length_text": TEXT,
                    "calendar_url": TEXT,
                }
            )
        ),
        state={"type": "string", "enum": ["open", "waiting", "answered", "closed"]},
        attachments=many(shape({"name": TEXT, "size": WHOLE, "size_text": TEXT, "state": TEXT})),
        known=KNOWN,
        url=LINK,
        message_url=LINK,
        close_url=LINK,
        upload=or_null({"$ref": "#/components/schemas/UploadForm"}),
    ),
    "UploadForm": UPLOAD_FORM,
    "Renewal": decided(of(RenewalAnswer, without=("decision",))),
    "Download": decided(of(DownloadAnswer, without=("expires_text", "decision"), url=LINK)),
    "Updates": decided(of(UpdatesAnswer, without=("decision",))),
    "Asked": shape({"next": TEXT}),
    "Subscription": of(SubscriptionView, without=("labels", "wanted_labels", "mail_comes_back")),
    "SignInAsked": shape({"detail": TEXT, "code_at": LINK}),
    "SignInCode": shape({"email": TEXT, "code": TEXT, "expires": INSTANT}),
    "SignInLink": shape({"wants_code": BOOL, "expires": INSTANT}),
    "SignedIn": shape({"address": TEXT, "session": TEXT, "until": INSTANT, "next": TEXT}),
    "SignedOut": shape({"signed_in": BOOL}),
    "Me": of(
        Me,
        agreements=many({"$ref": "#/components/schemas/Renewal"}),
        downloads=many(of(MyRelease, without=("url",), notes_url=TEXT, files=many(of(File)))),
        subscription=or_null({"$ref": "#/components/schemas/Subscription"}),
        tickets=many(of(MyTicket, without=("received_text",), url=LINK)),
        sessions=many(of(MySession, without=("began_text", "seen_text"))),
    ),
    "MyCalendar": shape({"calendar_url": TEXT}),
    "Problem": {
        **shape(
            {
                "type": TEXT,
                "title": TEXT,
                "status": WHOLE,
                "detail": TEXT,
                "errors": many(shape({"field": TEXT, "message": TEXT})),
                "because": TEXTS,
                **DECISION,
            },
            optional=("errors", "because", *DECISION),
        ),
        "description": "RFC 9457. `errors` names every bad field; `because` and `would_change` explain a no, "
        "`rule` and `compared` name the rule and the dates behind it.",
    },
}
