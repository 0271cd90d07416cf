"""How a reference reads: from the values of CSL-JSON to pieces of text, in one style for page, PDF and mail.

The style is that of engineering papers: numbers in brackets, initials before the family name, titles of
parts in quotation marks, titles of wholes in italics. It must not know HTML, Typst or any file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

MOST_AUTHORS = 6  # more than these, and the first stands for all
MONTHS = ("Jan.", "Feb.", "Mar.", "Apr.", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec.")
WHOLES = frozenset({"book", "dataset", "manuscript", "pamphlet", "software", "standard"})
_INITIAL = re.compile(r"(-?)([^\W\d_])[^\s-]*\.?")


class Run(NamedTuple):
    """A piece of a reference: plain text, set in italics or not, and where it leads ("" for nowhere)."""

    text: str
    italic: bool = False
    url: str = ""


def formatted(csl: Mapping[str, Any]) -> tuple[Run, ...]:
    """The reference as one line that ends in a full stop or an address. `csl` is an item of CSL-JSON 1.0."""
    kind, title = csl["type"], csl["title"]
    people = csl.get("author") or csl.get("editor") or ()
    runs = [Run(_listed([short_name(name) for name in people]))] if people else []
    if people and not csl.get("author"):
        runs.append(Run("Eds." if len(people) > 1 else "Ed."))
    whole = kind in WHOLES
    if whole:
        runs.append(Run(title, italic=True))
    parts = [Run(part) for part in _parts(csl)]
    container = csl.get("container-title") or csl.get("event", "")
    made = _joined(runs)
    if not whole:
        stop = "" if title[-1:] in "?!." else "," if container or parts else "."
        made += [Run(", " if made else ""), Run(f"“{title}{stop}”")]
        if container:
            made += [Run(" in " if kind in ("chapter", "paper-conference") else " "), Run(container, True)]
            made += [Run(", ") if parts else Run("")]
        elif parts:
            made.append(Run(" "))
    elif parts:
        made.append(Run(", "))
    made += _joined(parts)
    made.append(Run("."))
    if csl.get("note"):
        made += [Run(f" {csl['note']}"), Run(".")]
    return _merged([*made, *_places(csl)])


def _parts(csl: Mapping[str, Any]) -> list[str]:
    kind = csl["type"]
    editors = csl.get("editor") if csl.get("author") else ()
    found = []
    if editors and kind in ("book", "chapter", "paper-conference"):
        named = _listed([short_name(name) for name in editors])
        found.append(f"{named}, {'Eds.' if len(editors) > 1 else 'Ed.'}")
    for name, told in (("collection-title", "ser. {}"), ("edition", "{} ed."), ("genre", "{}")):
        if csl.get(name):
            found.append(told.format(_ordinal(csl[name]) if name == "edition" else csl[name]))
    place = csl.get("publisher-place") or csl.get("event-place", "")
    if kind in ("report", "thesis"):
        published = ", ".join(part for part in (csl.get("publisher"), place) if part)
    else:
        published = ": ".join(part for part in (place, csl.get("publisher")) if part)
    if published:
        found.append(published)
    for name, told in (("volume", "vol. {}"), ("issue", "no. {}"), ("number", "{}")):
        if csl.get(name):
            found.append(told.format(csl[name]))
    if csl.get("page"):
        several = re.search(r"[–,]", csl["page"])
        found.append(f"{'pp.' if several else 'p.'} {csl['page']}")
    if csl.get("issued"):
        found.append(day(csl["issued"]))
    return found


def _places(csl: Mapping[str, Any]) -> list[Run]:
    if csl.get("DOI"):
        return [Run(" doi: "), Run(csl["DOI"], url=f"https://doi.org/{csl['DOI']}"), Run(".")]
    if csl.get("URL"):
        # No full stop after an address: programs would take it for a part of it.
        seen = f" (seen {day(csl['accessed'])})." if csl.get("accessed") else ""
        return [Run(" "), Run(csl["URL"], url=csl["URL"]), Run(seen)]
    return []


def day(told: Mapping[str, Any]) -> str:
    """A date of CSL-JSON: `May 12, 2026`, `May 2026` or `2026`; months shortened as in the style."""
    parts: list[int] = [*told["date-parts"][0], 0, 0]
    year, month, day_of_month = parts[:3]
    if not month:
        return str(year)
    return f"{MONTHS[month - 1]} {day_of_month}, {year}" if day_of_month else f"{MONTHS[month - 1]} {year}"


def short_name(name: Mapping[str, str]) -> str:
    """`D. J. Vanier`; an organization as it is called."""
    if "literal" in name:
        return name["literal"]
    initials = " ".join(
        "".join(f"{dash}{letter}." for dash, letter in _INITIAL.findall(part))
        for part in name.get("given", "").split()
    )
    parts = [initials, name.get("non-dropping-particle", ""), name["family"], name.get("suffix", "")]
    return " ".join(part for part in parts if part)


def family_names(csl: Mapping[str, Any]) -> str:
    """Who wrote it, as a sentence names them: `Vanier`, `Vanier and Doe`, `Vanier et al.`; else its title."""
    people = csl.get("author") or csl.get("editor") or ()
    names = [
        name.get("literal")
        or " ".join(part for part in (name.get("non-dropping-particle", ""), name["family"]) if part)
        for name in people
    ]
    if not names:
        return f"“{csl['title']}”"
    if len(names) > 2 or names[-1] == OTHERS:
        return f"{names[0]} et al."
    return " and ".join(names)


OTHERS = "others"  # as BibTeX says that the list of names is not whole


def _listed(names: Sequence[str]) -> str:
    if len(names) > MOST_AUTHORS or names[-1] == OTHERS:
        shown = names[:-1] if names[-1] == OTHERS and len(names) <= MOST_AUTHORS else names[:1]
        return f"{', '.join(shown)} et al."
    if len(names) < 3:
        return " and ".join(names)
    return f"{', '.join(names[:-1])}, and {names[-1]}"


def _ordinal(edition: str) -> str:
    if not edition.isdigit():
        return edition
    endings = {} if edition[-2:] in ("11", "12", "13") else {"1": "st", "2": "nd", "3": "rd"}
    return f"{edition}{endings.get(edition[-1], 'th')}"


def _joined(runs: Sequence[Run]) -> list[Run]:
    made: list[Run] = []
    for run in runs:
        made += [Run(", "), run] if made else [run]
    return made


def _merged(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Neighbours of one look as one run; no full stop stands twice."""
    made: list[Run] = []
    for run in runs:
        text = run.text
        if text.startswith(".") and made and re.search(r"[.?!]”?$", made[-1].text):
            text = text[1:]
        if not text:
            continue
        if made and made[-1].italic == run.italic and made[-1].url == run.url:
            made[-1] = made[-1]._replace(text=made[-1].text + text)
        else:
            made.append(run._replace(text=text))
    return tuple(made)


def as_text(runs: Sequence[Run]) -> str:
    """The same without looks and links."""
    return "".join(run.text for run in runs)
