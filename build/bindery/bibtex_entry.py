"""An entry of BibTeX, written. Reading is `bibtex`'s; nothing here knows what a paper is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bindery.latex import escaped

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
VERBATIM = frozenset({"url", "doi", "date"})


def entry(kind: str, key: str, fields: Sequence[tuple[str, str]]) -> str:
    """An entry of BibTeX. Letters stay as they are (UTF-8); what LaTeX would read is escaped, but not in
    addresses, nor in what is LaTeX already (`Made`)."""
    lines = [f"  {name} = {_written(name, value)}," for name, value in fields if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"]) + "\n"


class Made(str):
    """A value that is LaTeX already."""

    __slots__ = ()


def _written(field: str, value: str) -> str:
    if field == "month":
        return value  # the name of a string that every style defines
    return f"{{{value if field in VERBATIM or isinstance(value, Made) else escaped(value)}}}"


def name(told: Mapping[str, str]) -> str:
    """A name of CSL-JSON as BibTeX writes it, no part to be taken for another: `van Beethoven, Ludwig`."""
    if "literal" in told:
        return f"{{{escaped(told['literal'])}}}"
    family = " ".join(escaped(told[part]) for part in ("non-dropping-particle", "family") if part in told)
    rest = [escaped(told[part]) for part in ("suffix", "given") if part in told]
    return ", ".join([family, *rest])


def title(text: str) -> str:
    """A title whose capitals stay: styles make small letters of all but the first."""
    words = text.split(" ")
    return " ".join(
        f"{{{escaped(word)}}}" if any(map(str.isupper, word if place else word[1:])) else escaped(word)
        for place, word in enumerate(words)
    )
