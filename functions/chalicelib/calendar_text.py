"""Text of calendars as RFC 5545 has it: properties, escaping, lines folded at 75 octets, CRLF.

Writes what it is told; what a component must hold is its caller's matter. Values are checked for nothing but
what would break the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

PRODUCT = "-//support desk//EN"
_OCTETS = 75


def text(value: str) -> str:
    """A value of type TEXT (RFC 5545, 3.3.11): controls but line ends are left out."""
    shown = "".join(c for c in value.replace("\r\n", "\n") if c == "\n" or (c >= " " and c != "\x7f"))
    return shown.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def instant(at: datetime) -> str:
    """A value of type DATE-TIME in UTC."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def line(name: str, value: str, *parameters: tuple[str, str]) -> str:
    """A content line, folded, with its CRLF. A parameter's value is quoted where it must be; it holds no
    quotation mark and no control. Raises ValueError for a value that would end the line."""
    head = name
    for parameter, given in parameters:
        shown = "".join(c for c in given if c >= " " and c not in '"\x7f')
        head += f";{parameter}=" + (f'"{shown}"' if set(shown) & set(":;,") else shown)
    whole = f"{head}:{value}"
    if "\n" in whole or "\r" in whole:
        raise ValueError(f"the value of {name} holds a line end: it must be escaped")
    return "\r\n ".join(_folded(whole)) + "\r\n"


def component(name: str, inner: Iterable[str]) -> str:
    """Lines and components between BEGIN and END."""
    return f"BEGIN:{name}\r\n{''.join(inner)}END:{name}\r\n"


def calendar(method: str, components: Sequence[str]) -> str:
    """A whole calendar; `method` of RFC 5546, or "" for none."""
    head = [line("VERSION", "2.0"), line("PRODID", PRODUCT), line("CALSCALE", "GREGORIAN")]
    if method:
        head.append(line("METHOD", method))
    return component("VCALENDAR", [*head, *components])


def _folded(whole: str) -> list[str]:
    """Pieces of at most 75 octets with the blank that continues a line, no character cut in two."""
    pieces, piece, octets = [], "", 0
    for char in whole:
        size = len(char.encode())
        if octets + size > _OCTETS:
            pieces.append(piece)
            piece, octets = "", 1  # the blank in front
        piece += char
        octets += size
    return [*pieces, piece]
