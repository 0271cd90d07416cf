"""Stands where API Gateway stands: a WSGI request becomes the event of a REST proxy integration, and back.

The app that gets the event cannot tell the difference. Knows routes by their pattern and nothing of what
they do.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes
from wsgiref.types import WSGIEnvironment

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer ready for WSGI: `headers` may name one header several times."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Gateway:
    """Hands requests to `handler`. `patterns` are its resources, such as `/api/tickets/{token}`."""

    def __init__(self, handler: Handler, patterns: Iterable[str]) -> None:
        self._handler = handler
        plain = [(pattern, _compiled(pattern)) for pattern in patterns]
        # A literal resource is more specific than one with a parameter.
        self._patterns = sorted(plain, key=lambda pair: (pair[0].count("{"), pair[0]))

    def __call__(self, environ: WSGIEnvironment, context: Any, body_limit: int) -> Reply:
        """The answer to one request; a body is read up to one byte beyond `body_limit`, so that the app sees
        that it is too long."""
        body = environ["wsgi.input"].read(body_limit + 1)
        answer = self._handler(self.event(environ, body), context)
        headers = [(name, str(value)) for name, value in answer.get("headers", {}).items()]
        for name, values in answer.get("multiValueHeaders", {}).items():
            headers += [(name, str(value)) for value in values]
        said = answer.get("body") or ""
        return Reply(
            status=int(answer["statusCode"]),
            headers=tuple(headers),
            body=base64.b64decode(said) if answer.get("isBase64Encoded") else said.encode("utf-8", "replace"),
        )

    def event(self, environ: WSGIEnvironment, body: bytes) -> dict[str, Any]:
        """The event of API Gateway's REST proxy integration; an unknown path has no `resourcePath`."""
        path = raw_path(environ)
        resource, parameters = self._match(path)
        headers, peer = dict(request_headers(environ)), environ.get("REMOTE_ADDR", "")
        forwarded = headers.get("x-forwarded-for", "")
        headers["x-forwarded-for"] = f"{forwarded}, {peer}" if forwarded else peer
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True):
            query.setdefault(name, []).append(value)
        method = environ["REQUEST_METHOD"]
        return {
            "resource": resource,
            "path": path,
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "pathParameters": parameters or None,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": resource,
                "httpMethod": method,
                "path": path,
                "stage": "local",
                "requestId": environ.get("desk.request_id", ""),
                "identity": {
                    "sourceIp": peer,
                    "userAgent": headers.get("user-agent", ""),
                },
            },
            "body": base64.b64encode(body).decode("ascii") if body else None,
            "isBase64Encoded": bool(body),
        }

    def _match(self, path: str) -> tuple[str | None, dict[str, str]]:
        for pattern, compiled in self._patterns:
            found = compiled.fullmatch(path)
            if found:
                return pattern, {name: _decoded(value) for name, value in found.groupdict().items()}
        return None, {}


def raw_path(environ: WSGIEnvironment) -> str:
    """The path as it was sent, still percent-encoded, with one leading slash."""
    target = str(environ.get("REQUEST_URI") or environ.get("PATH_INFO", "/"))
    if "://" in target.split("?")[0]:
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    return "/" + re.split(r"[?#]", target, maxsplit=1)[0].lstrip("/")


def request_headers(environ: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The request's headers, names in lower case."""
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-").lower(), str(value)
        elif name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield name.replace("_", "-").lower(), str(value)


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", pattern)
    return re.compile(
        "".join(re.escape(part) if at % 2 == 0 else f"(?P<{part}>[^/]+)" for at, part in enumerate(parts))
    )


def _decoded(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")
