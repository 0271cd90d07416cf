"""Holds an answer against the desk's OpenAPI document: status, type, body and headers, nothing more and
nothing less than is declared. The tests' client does it with every answer that it gets."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import jsonschema

from chalicelib import openapi
from chalicelib.answers import SECURITY_HEADERS

DOCUMENT = openapi.document("http://127.0.0.1")
_ALWAYS = ("x-request-id", *(name.lower() for name, _ in SECURITY_HEADERS))


def check(method: str, path: str, status: int, headers: dict[str, str], body: bytes) -> None:
    """Raises AssertionError for what the document does not declare. Header names in lower case."""
    what = f"{method} {path} was answered {status}"
    assert all(name in headers for name in _ALWAYS), f"{what} without {set(_ALWAYS) - set(headers)}"
    assert "server" not in headers, what
    plain = path.partition("?")[0].partition("#")[0]
    if not plain.startswith("/api/"):
        return
    methods = _methods(plain)
    if method == "OPTIONS" and methods:
        assert (status, body) == (204, b""), what
        assert headers["allow"] == _allowed(methods), what
        return
    said = methods.get({"HEAD": "get"}.get(method, method.lower()))
    if said is None:
        assert status == (405 if methods else 404), what
        assert status != 405 or headers["allow"] == _allowed(methods), what
        response = DOCUMENT["components"]["responses"]["MethodNotAllowed" if methods else "NotFound"]
    else:
        assert str(status) in said["responses"], f"{what}, declared are {sorted(said['responses'])}"
        response = _resolved(said["responses"][str(status)])
    for name in response["headers"]:
        assert name.lower() in headers, f"{what} without {name}"
        schema = response["headers"][name]["schema"]
        jsonschema.validate(_read(headers[name.lower()], schema), schema)
    content = response.get("content", {})
    kind = headers.get("content-type", "").partition(";")[0]
    if not content:
        assert (kind, body) == ("", b""), what
        return
    assert kind in content, f"{what} as {kind}, declared are {sorted(content)}"
    if method == "HEAD" or "$ref" not in content[kind]["schema"]:
        return  # text of another kind than JSON
    name = content[kind]["schema"]["$ref"].rpartition("/")[2]
    errors = [
        f"{error.json_path}: {error.message}" for error in _validator(name).iter_errors(json.loads(body))
    ]
    assert not errors, f"{what}, which is no {name}: {errors}"


def _methods(path: str) -> dict[str, Any]:
    """The operations of the path that is the most specific one of those that fit."""
    fitting = [
        (pattern.count("{"), pattern)
        for pattern in DOCUMENT["paths"]
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(pattern)), path)
    ]
    return dict(DOCUMENT["paths"][min(fitting)[1]]) if fitting else {}


def _allowed(methods: dict[str, Any]) -> str:
    names = {method.upper() for method in methods} | {"OPTIONS"}
    return ", ".join(sorted(names | ({"HEAD"} if "GET" in names else set())))


def _resolved(response: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in response:
        return dict(DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]])
    return response


def _read(value: str, schema: dict[str, Any]) -> object:
    """A header's text as its schema calls it: an id may be of digits alone, and is no number."""
    return int(value) if schema.get("type") == "integer" and value.isdigit() else value


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    whole = {"$ref": f"#/components/schemas/{name}", "components": _closed(DOCUMENT["components"])}
    return jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())


def _closed(schema: Any) -> Any:
    """The schema without room for a member that is not declared."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _closed(value) for name, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
        inner["additionalProperties"] = False
    return inner
