"""The OpenAPI 3.1 document of the desk, made from the fields that check its requests.

Adding a route means adding an `Operation`; a test holds this table against the routes of `app.py`, and the
shapes of answers against what the desk says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib import bodies, fields
from chalicelib.fields import Form

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
DAY: Schema = {"type": "string", "format": "date"}
INSTANT: Schema = {"type": "string", "format": "date-time"}
WHOLE: Schema = {"type": "integer"}
BOOL: Schema = {"type": "boolean"}
LINK: Schema = {"type": "string", "format": "uri"}
FREE: Schema = {"type": "object"}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one address. `done` is the status of a success, `answer` the name of its shape,
    `refusals` are names of `REFUSALS`."""

    path: str
    method: str
    name: str
    summary: str
    form: Form | None = None
    done: int = 200
    answer: str = ""
    refusals: tuple[str, ...] = ()


# Name of the exception that is refused with → status and what it means.
REFUSALS: dict[str, tuple[int, str]] = {
    "Refused": (400, "The body is not what its content type says."),
    "CrossSite": (403, "A page of another site made a browser send this."),
    "Forbidden": (403, "The address was changed, or is not one of ours."),
    "Expired": (403, "The time of the address is over: ask for a new one."),
    "NotEntitled": (403, "The agreement does not give this release; `because` and `would_change` say why."),
    "NotFound": (404, "Unknown, withdrawn or with a wrong secret: nobody can tell which."),
    "MethodNotAllowed": (405, "The `Allow` header names what this address takes."),
    "TooLarge": (413, f"More than {bodies.LIMIT_TEXT}, or a file beyond the printed limit."),
    "UnknownContentType": (415, f"The body must be {bodies.JSON_TYPE} or {bodies.FORM_TYPE}."),
    "Invalid": (422, "Fields to mend: all of them are named in `errors`."),
    "HeadersTooLarge": (431, "The headers are longer than 64 KB."),
    "TooMany": (429, "Wait as many seconds as `Retry-After` says."),
    "Broken": (500, "A fault of ours."),
    "NotStored": (503, "Nothing was stored, and it is safe to send it again."),
    "NotAvailable": (503, "Something of ours is missing at the moment."),
    "NoRule": (503, "The support policy says nothing about a day of this agreement: call us."),
}
_POSTED = (
    "Refused",
    "CrossSite",
    "TooLarge",
    "UnknownContentType",
    "Invalid",
    "TooMany",
    "NotStored",
    "Broken",
)
_READ = ("Forbidden", "Expired", "NotFound", "NotAvailable", "NoRule", "Broken")

OPERATIONS: tuple[Operation, ...] = (
    Operation(path="/api/health", method="GET", name="health", summary="Is the desk well?", answer="Health"),
    Operation(
        path="/api/openapi.json",
        method="GET",
        name="openapi",
        summary="This document.",
        answer="Document",
    ),
    Operation(
        path="/api/tickets",
        method="POST",
        name="openTicket",
        summary="Send a ticket. The same Idempotency-Key gives the first ticket again.",
        form=fields.TICKET,
        done=201,
        answer="Receipt",
        refusals=_POSTED,
    ),
    Operation(
        path="/api/tickets/{token}",
        method="GET",
        name="readTicket",
        summary="A ticket, by the secret of its address; its number opens nothing.",
        answer="Ticket",
        refusals=("NotFound", "NotStored", "Broken"),
    ),
    Operation(
        path="/api/tickets/{token}/messages",
        method="POST",
        name="addMessage",
        summary="Add a message to a ticket.",
        form=fields.MESSAGE,
        answer="Ticket",
        refusals=(*_POSTED, "NotFound"),
    ),
    Operation(
        path="/api/tickets/{token}/attachments",
        method="POST",
        name="announceAttachment",
        summary="Announce a file and get the form that uploads it.",
        form=fields.ATTACHMENT,
        done=201,
        answer="UploadForm",
        refusals=(*_POSTED, "NotFound"),
    ),
    Operation(
        path="/api/renewals",
        method="POST",
        name="lookUpRenewal",
        summary="The state of an agreement, with the rule and the dates.",
        form=fields.RENEWAL,
        answer="Renewal",
        refusals=(*_POSTED, "NotFound", "NotAvailable", "NoRule"),
    ),
    Operation(
        path="/api/renewals/{word}",
        method="GET",
        name="readRenewal",
        summary="The page that a browser is led to after a look-up, for ten minutes.",
        answer="Renewal",
        refusals=_READ,
    ),
    Operation(
        path="/api/downloads",
        method="POST",
        name="askDownload",
        summary="A link to one file, for five minutes.",
        form=fields.DOWNLOAD,
        answer="Download",
        refusals=(*_POSTED, "NotEntitled", "NotFound", "NotAvailable", "NoRule"),
    ),
    Operation(
        path="/api/downloads/{word}",
        method="GET",
        name="readDownload",
        summary="The page that a browser is led to with its download, for ten minutes.",
        answer="Download",
        refusals=(*_READ, "NotEntitled"),
    ),
    Operation(
        path="/api/updates",
        method="POST",
        name="lookUpUpdates",
        summary="The newest release, the newest that you may install, and whether yours is still supported.",
        form=fields.UPDATES,
        answer="Updates",
        refusals=(*_POSTED, "NotFound", "NotAvailable", "NoRule"),
    ),
)


def _shape(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


_RELEASE = _shape({"version": TEXT, "url": TEXT, "released": DAY})
_KNOWN = _or_null(FREE)
SHAPES: dict[str, Schema] = {
    "Document": FREE,
    "Health": _shape(
        {
            "ok": BOOL,
            "store": TEXT,
            "catalog": _or_null(_shape({"format": WHOLE, "build": TEXT})),
            "oldest_unsent_mail": _or_null(INSTANT),
        }
    ),
    "Receipt": _shape(
        {
            "number": TEXT,
            "url": LINK,
            "received": INSTANT,
            "route": _shape({"name": TEXT, "because": TEXTS}),
            "reply_by": _or_null(INSTANT),
            "reply_by_because": TEXTS,
            "known": _KNOWN,
            "repeated": BOOL,
        }
    ),
    "Ticket": _shape(
        {
            "number": TEXT,
            "subject": TEXT,
            "received": INSTANT,
            "reply_by": _or_null(INSTANT),
            "reply_by_because": TEXTS,
            "state": TEXT,
            "route": TEXT,
            "next_steps": TEXTS,
            "messages": {"type": "array", "items": _shape({"who": TEXT, "when": FREE, "text": TEXT})},
            "attachments": {"type": "array", "items": _shape({"name": TEXT, "size": WHOLE, "state": TEXT})},
            "known": _KNOWN,
            "url": LINK,
            "message_url": LINK,
            "upload": _or_null({"$ref": "#/components/schemas/UploadForm"}),
            "phone": TEXT,
            "not_covered_note": TEXT,
        }
    ),
    "UploadForm": _shape({"url": LINK, "fields": FREE, "expires": INSTANT, "max_size": WHOLE}),
    "Renewal": _shape(
        {
            "agreement": TEXT,
            "customer": TEXT,
            "product": TEXT,
            "product_name": TEXT,
            "licence": TEXT,
            "covered_from": DAY,
            "covered_until": DAY,
            "state": TEXT,
            "days_left": WHOLE,
            "newest_entitled": _or_null(_RELEASE),
            "because": TEXTS,
        }
    ),
    "Download": _shape(
        {
            "product": TEXT,
            "version": TEXT,
            "file": TEXT,
            "url": LINK,
            "expires": INSTANT,
            "sha256": TEXT,
            "size": WHOLE,
            "because": TEXTS,
            "notes_url": TEXT,
        }
    ),
    "Updates": _shape(
        {
            "product": TEXT,
            "version": TEXT,
            "newest": _RELEASE,
            "newest_entitled": _or_null(_RELEASE),
            "supported": BOOL,
            "supported_until": _or_null(DAY),
            "earliest_end": _or_null(DAY),
            "because": TEXTS,
        }
    ),
    "Problem": {
        **_shape({"type": TEXT, "title": TEXT, "status": WHOLE, "detail": TEXT}),
        "description": "RFC 9457. `errors` names every bad field; `because` and `would_change` explain a no.",
    },
}
SHAPES["Problem"]["properties"] |= {
    "errors": {"type": "array", "items": _shape({"field": TEXT, "message": TEXT})},
    "because": TEXTS,
    "would_change": TEXT,
}


def document(site_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the desk at `site_url`."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Support desk",
            "version": "1",
            "description": "Tickets, renewals, downloads and updates. Each address takes JSON or a form; a "
            "client that prefers pages gets pages.",
        },
        "servers": [{"url": site_url}],
        "paths": paths,
        "components": {
            "schemas": SHAPES | {_title(form): fields.schema(form) for form in fields.FORMS},
            "responses": {
                name: {
                    "description": f"{status}: {meaning}",
                    "content": {"application/problem+json": {"schema": _ref("Problem")}},
                }
                for name, (status, meaning) in REFUSALS.items()
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": _responses(operation),
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": TEXT}
        for name in re.findall(r"\{(\w+)\}", operation.path)
    ]
    if operation.form is not None:
        body = {"schema": {"$ref": f"#/components/schemas/{_title(operation.form)}"}}
        said["requestBody"] = {
            "required": True,
            "content": dict.fromkeys(bodies.ACCEPTED, body),
        }
        if operation.form.keyed:
            parameters.append(
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": False,
                    "schema": {**TEXT, "maxLength": 200},
                }
            )
    if parameters:
        said["parameters"] = parameters
    return said


def _responses(operation: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {
        str(operation.done): {
            "description": "Done.",
            "content": {"application/json": {"schema": _ref(operation.answer)}},
        }
    }
    by_status: dict[int, list[str]] = {}
    for name in operation.refusals:
        by_status.setdefault(REFUSALS[name][0], []).append(name)
    for status, names in sorted(by_status.items()):
        said[str(status)] = _refusal(names)
    if operation.form is not None:
        said["303"] = {"description": "Done; a browser is led to the result's own page."}
    return dict(sorted(said.items()))


def _refusal(names: Sequence[str]) -> dict[str, Any]:
    if len(names) == 1:
        return {"$ref": f"#/components/responses/{names[0]}"}
    meanings = " Or: ".join(REFUSALS[name][1] for name in names)
    return {
        "description": meanings,
        "content": {"application/problem+json": {"schema": _ref("Problem")}},
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _title(form: Form) -> str:
    return f"{form.name.capitalize()}Request"
