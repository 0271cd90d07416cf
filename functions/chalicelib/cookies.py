"""The two cookies of the desk, as text of headers.

Both have the `__Host-` prefix: a browser keeps them for this very host, over https alone (or on this machine
itself, `http://localhost`), and no other host can set them. Knows nothing of what they open.
"""

from __future__ import annotations

from datetime import timedelta

SESSION = "__Host-session"
ASKED = "__Host-sign-in"
_PLACE = "Path=/; Secure; HttpOnly; SameSite=Lax"


def read(header: str, name: str) -> str:
    """The value of a cookie in a Cookie header, "" when it is not there or is there twice."""
    values = [
        value.strip()
        for key, _, value in (pair.partition("=") for pair in header.split(";"))
        if key.strip() == name
    ]
    return values[0] if len(values) == 1 else ""


def kept(name: str, value: str, span: timedelta) -> tuple[str, str]:
    """The header that keeps a cookie for so long."""
    return "Set-Cookie", f"{name}={value}; Max-Age={int(span.total_seconds())}; {_PLACE}"


def dropped(name: str) -> tuple[str, str]:
    """The header that takes a cookie away."""
    return "Set-Cookie", f"{name}=; Max-Age=0; {_PLACE}"
