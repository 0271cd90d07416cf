"""The OpenAPI 3.1 document of the desk, made from the fields that check its requests, the table of its
addresses (`operations.py`) and the shapes of its answers (`shapes.py`)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from chalicelib import bodies, body_schemas, cookies, fields
from chalicelib.fields import Form
from chalicelib.operations import EVERYWHERE, OPERATIONS, REFUSALS, WAITING, Operation
from chalicelib.shapes import SHAPES, TEXT, Schema

PAGE_TYPE = "text/html"
PROBLEM_TYPE = "application/problem+json"

_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {"description": "Names this answer in our log.", "schema": TEXT},
    "Location": {"description": "Where the result has its own address.", "schema": TEXT},
    "Retry-After": {
        "description": "Seconds to wait before it is worth while to send it again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "Set-Cookie": {"description": "A cookie for this host alone, that no script reads.", "schema": TEXT},
    "WWW-Authenticate": {"description": "Names the page where one signs in.", "schema": TEXT},
    "Allow": {"description": "The methods that this address takes.", "schema": TEXT},
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
            "summary": "Tickets, renewals, downloads and updates.",
            "description": "Each address takes JSON or a form; a client that prefers pages gets pages. What "
            f"is refused is a problem of RFC 9457. A body has at most {bodies.LIMIT_TEXT}. Text is Unicode "
            "without control characters and lone surrogates; blanks around it do not count.",
        },
        "servers": [{"url": site_url}],
        "paths": paths,
        "components": {
            "schemas": {**SHAPES, **_bodies()},
            "headers": _HEADERS,
            "responses": {name: _refusal([name]) for name in REFUSALS},
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": cookies.SESSION,
                    "description": "The session that signing in begins.",
                }
            },
        },
    }


def _bodies() -> dict[str, Schema]:
    said: dict[str, Schema] = {}
    for form in fields.FORMS:
        said[_title(form, bodies.JSON_TYPE)] = body_schemas.of_json(form)
        said[_title(form, bodies.FORM_TYPE)] = body_schemas.of_form(form)
    return said


def _operation(operation: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.path.split("/")[2].partition(".")[0]],
        "responses": _responses(operation),
    }
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {**TEXT, "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", operation.path)
    ]
    if operation.form is not None:
        said["requestBody"] = {
            "required": any(not field.optional for field in operation.form.fields),
            "content": {
                kind: {"schema": _ref("schemas", _title(operation.form, kind))} for kind in bodies.ACCEPTED
            },
        }
        if operation.form.keyed:
            parameters.append(
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": False,
                    "description": "The same key gives the first result again, for 7 days.",
                    "schema": body_schemas.key(),
                }
            )
    if parameters:
        said["parameters"] = parameters
    if "NotSignedIn" in operation.refusals:
        said["security"] = [{"session": []}]
    return said


def _responses(operation: Operation) -> dict[str, Any]:
    done: dict[str, Any] = {
        "description": "Done.",
        "headers": _headers(operation.headers),
    }
    content: dict[str, Any] = {}
    if operation.answer:
        content[bodies.JSON_TYPE] = {"schema": _ref("schemas", operation.answer)}
    if operation.content_type:
        content[operation.content_type] = {"schema": TEXT}
    if operation.shows in ("here", "either"):
        content[PAGE_TYPE] = {"schema": TEXT}
    if content:
        done["content"] = content
    said: dict[str, Any] = {str(operation.done): done}
    if operation.shows in ("see", "either"):
        said["303"] = {
            "description": "Done; a browser is led to the result's own page.",
            "headers": _headers(["Location"]),
        }
    if "NotSignedIn" in operation.refusals and "303" not in said:
        said["303"] = {
            "description": "Nobody is signed in: a browser is led to where one signs in.",
            "headers": _headers(["Location"]),
        }
    by_status: dict[int, list[str]] = {}
    for name in sorted({*operation.refusals, *EVERYWHERE}):
        by_status.setdefault(REFUSALS[name][0], []).append(name)
    for status, names in by_status.items():
        said[str(status)] = _ref("responses", names[0]) if len(names) == 1 else _refusal(names)
    return dict(sorted(said.items()))


def _refusal(names: list[str]) -> dict[str, Any]:
    named = ["Retry-After"] if all(name in WAITING for name in names) else []
    named += ["WWW-Authenticate"] if names == ["NotSignedIn"] else []
    named += ["Allow"] if names == ["MethodNotAllowed"] else []
    return {
        "description": " Or: ".join(REFUSALS[name][1] for name in names),
        "headers": _headers(named),
        "content": {
            PROBLEM_TYPE: {"schema": _ref("schemas", "Problem")},
            PAGE_TYPE: {"schema": TEXT},
        },
    }


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {**_HEADERS[name], "required": True} for name in ("X-Request-Id", *names)}


def _ref(place: str, name: str) -> Schema:
    return {"$ref": f"#/components/{place}/{name}"}


def _title(form: Form, content_type: str) -> str:
    kind = "Request" if content_type == bodies.JSON_TYPE else "Form"
    return "".join(word.capitalize() for word in re.split(r"[^a-zA-Z0-9]+", form.name)) + kind
