"""BibTeX: a bibliography as authors keep it becomes references, and a reference becomes an entry again.

bibtexparser finds the entries and their lines, pylatexenc (which it brings) reads LaTeX's accents; what a
field means is decided here, with BibTeX's own list of required fields. Every problem is told with its line.
It must not know any kind of content.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bindery.bibtex_entry import MONTHS
from bindery.latex import plain
from bindery.reference_style import OTHERS, formatted
from bindery.references import KEY, Reference
from bindery.source import Problem

if TYPE_CHECKING:  # imported where a bibliography is read: most builds read none
    from bibtexparser.model import Entry, ParsingFailedBlock

# Type of an entry → (type in CSL-JSON, fields that BibTeX's manual requires; "|" is either).
TYPES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "article": ("article-journal", ("author", "title", "journal|journaltitle", "year|date")),
    "book": ("book", ("author|editor", "title", "publisher", "year|date")),
    "booklet": ("pamphlet", ("title",)),
    "collection": ("book", ("editor", "title", "year|date")),
    "conference": ("paper-conference", ("author", "title", "booktitle", "year|date")),
    "dataset": ("dataset", ("author|editor", "title", "year|date")),
    "inbook": ("chapter", ("author|editor", "title", "booktitle|publisher", "year|date")),
    "incollection": ("chapter", ("author", "title", "booktitle", "year|date")),
    "inproceedings": ("paper-conference", ("author", "title", "booktitle", "year|date")),
    "manual": ("book", ("title",)),
    "mastersthesis": ("thesis", ("author", "title", "school|institution", "year|date")),
    "misc": ("document", ("title",)),
    "online": ("webpage", ("title", "url")),
    "phdthesis": ("thesis", ("author", "title", "school|institution", "year|date")),
    "proceedings": ("book", ("title", "year|date")),
    "report": ("report", ("author", "title", "institution", "year|date")),
    "software": ("software", ("title",)),
    "standard": ("standard", ("title",)),
    "techreport": ("report", ("author", "title", "institution", "year|date")),
    "thesis": ("thesis", ("author", "title", "school|institution", "year|date")),
    "unpublished": ("manuscript", ("author", "title")),
}
SUCH_AS = {  # by field, for messages
    "author": "{D. J. Vanier}",
    "editor": "{D. J. Vanier}",
    "title": "{Asset Management}",
    "year": "2004",
    "url": "{https://example.com/}",
    "booktitle": "{CIB 2004 Triennial Congress}",
}
_PLAIN = {  # field → name in CSL-JSON; the first that is given counts
    "journal": "container-title",
    "journaltitle": "container-title",
    "booktitle": "container-title",
    "publisher": "publisher",
    "institution": "publisher",
    "school": "publisher",
    "organization": "publisher",
    "howpublished": "publisher",
    "address": "publisher-place",
    "location": "publisher-place",
    "series": "collection-title",
    "volume": "volume",
    "edition": "edition",
    "type": "genre",
    "isbn": "ISBN",
    "issn": "ISSN",
    "note": "note",
}
_GENRES = {"phdthesis": "Ph.D. thesis", "mastersthesis": "Master’s thesis"}
_KEY = re.compile(KEY)
_TOKEN = re.compile(r"""\s*(?:"(?P<quoted>.*)"|(?P<braced>\{.*\})|(?P<bare>[^\s"{}#,=]+))\s*\Z""", re.DOTALL)
_YEAR = re.compile(r"\d{4}")
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:/.*)?")
_URL = re.compile(r"https?://[^\s<>\"]+")


def parse(text: str, path: str, problems: list[Problem]) -> dict[str, Reference]:
    """The sound entries by key, in the order of the file; every problem is added to `problems`."""
    from bibtexparser import model, splitter

    # The library tells its own log of what it could not read; here that is a problem, told once.
    logging.getLogger("bibtexparser").addHandler(logging.NullHandler())
    logging.getLogger("bibtexparser").propagate = False
    library = splitter.Splitter(text).split()
    strings = dict(zip(MONTHS, MONTHS, strict=True))
    for block in library.blocks:
        if isinstance(block, model.String):
            strings[block.key.lower()] = _unwrapped(block.value)
    entries = {block.key.casefold(): block for block in library.blocks if isinstance(block, model.Entry)}
    found: dict[str, Reference] = {}
    for block in library.blocks:
        line = (block.start_line or 0) + 1
        if isinstance(block, model.Entry):
            reading = _Reading(block, path, strings, problems)
            reading.inherit(entries)
            reference = reading.reference()
            if reference:
                found[reference.key] = reference
        elif isinstance(block, model.DuplicateBlockKeyBlock):
            first = (block.previous_block.start_line or 0) + 1
            message = f"the key must be of one entry, '{block.key}' is also that of line {first}"
            problems.append(Problem(path=path, line=line, message=message))
        elif isinstance(block, model.DuplicateFieldKeyBlock):
            twice = ", ".join(f"'{name}'" for name in sorted(block.duplicate_keys))
            message = f"the entry must have each field once, {twice} stands twice"
            problems.append(Problem(path=path, line=line, message=message))
        elif isinstance(block, model.ParsingFailedBlock):
            problems.append(Problem(path=path, line=line, message=_broken(block)))
    return found


def _broken(block: ParsingFailedBlock) -> str:
    reason = getattr(block.error, "abort_reason", "") or "it cannot be read"
    return (
        "the entry must be BibTeX such as '@book{key, title = {…}, year = 2004}', with every brace closed: "
        + reason[0].lower()
        + reason[1:].strip().rstrip(".").replace("\n", " ")
    )


class _Reading:
    """One entry on its way to a Reference; a wrong field becomes a problem on the field's own line."""

    def __init__(self, entry: Entry, path: str, strings: Mapping[str, str], problems: list[Problem]) -> None:
        self.path = path
        self.key = entry.key
        self.kind = entry.entry_type.lower()
        self.line = (entry.start_line or 0) + 1
        self.problems = problems
        self.strings = strings
        self.lines = {field.key.lower(): (field.start_line or 0) + 1 for field in entry.fields}
        self.before = len(problems)
        self.fields = {
            field.key.lower(): self._value(field.key.lower(), field.value, strings) for field in entry.fields
        }

    def inherit(self, entries: Mapping[str, Entry]) -> None:
        """What an entry does not say itself it has from the one that it names as its crossref: a paper from
        its proceedings, whose title is its booktitle."""
        named = self.fields.get("crossref", "").strip()
        if not named:
            return
        whole = entries.get(named.casefold())
        if whole is None or whole.key == self.key:
            near = difflib.get_close_matches(named, [entry.key for entry in entries.values()], 1, 0.3)
            self.wrong("crossref", "the key of another entry", near[0] if near else "cib2004", f"'{named}'")
            return
        read = _Reading(whole, self.path, self.strings, []).fields  # its problems are told where it stands
        for name, value in read.items():
            self.fields.setdefault("booktitle" if name == "title" else name, value)

    def wrong(self, name: str, must_be: str, such_as: str, given: str) -> None:
        where = self.lines.get(name, self.line)
        message = f"'{self.key}.{name}' must be {must_be} such as {such_as}, not {given}"
        self.problems.append(Problem(path=self.path, line=where, message=message))

    def _value(self, name: str, raw: str, strings: Mapping[str, str]) -> str:
        """`{…}`, `"…"`, a number, the name of a @string, or several of them joined by `#`."""
        made = []
        for part in _split(raw):
            match = _TOKEN.fullmatch(part)
            bare = match["bare"] if match else None
            if match is None or (match["braced"] and not _balanced(match["braced"])):
                self.wrong(name, "text", "{…} and a comma after it", f"'{_short(raw)}'")
                return ""
            if bare is None:
                made.append(match["quoted"] if match["quoted"] is not None else match["braced"][1:-1])
            elif bare.isdigit():
                made.append(bare)
            elif bare.lower() in strings:
                made.append(strings[bare.lower()])
            else:
                self.wrong(
                    name.lower(), "text in braces or the name of a @string", f"{{{bare}}}", f"'{bare}'"
                )
                return ""
        return "".join(made)

    def reference(self) -> Reference | None:
        """None when the entry is not sound (see problems)."""
        if not _KEY.fullmatch(self.key):
            message = "the entry must have a key of letters, digits and dashes such as vanier2004"
            given = f", not '{self.key}'" if self.key else ", it has none"
            self.problems.append(Problem(path=self.path, line=self.line, message=message + given))
        if self.kind not in TYPES:
            near = difflib.get_close_matches(self.kind, TYPES, 1, 0.5) or ["misc"]
            message = f"the entry must be of a type such as @{near[0]}, not @{self.kind}"
            self.problems.append(Problem(path=self.path, line=self.line, message=message))
            return None
        if len(self.problems) > self.before:  # a comma that is missing swallows the fields after it
            return None
        csl_type, required = TYPES[self.kind]
        for names in required:
            either = names.split("|")
            if not any(self.fields.get(name, "").strip() for name in either):
                given = "empty" if any(name in self.fields for name in either) else "left out"
                self.wrong(either[0], f"given in an @{self.kind}", SUCH_AS.get(either[0], "{…}"), given)
        csl = self._csl(csl_type)
        if not csl["title"] and len(self.problems) == self.before:
            self.wrong("title", "text with a word in it", "{Asset Management}", f"'{self.fields['title']}'")
        if len(self.problems) > self.before:
            return None
        return Reference(key=self.key, csl=csl, formatted=formatted(csl), line=self.line)

    def _csl(self, csl_type: str) -> dict[str, Any]:
        csl: dict[str, Any] = {"id": self.key, "type": csl_type, "title": self._text("title")}
        for name in ("author", "editor"):
            if self.fields.get(name, "").strip():
                csl[name] = self._names(name)
        for name, told in _PLAIN.items():
            if self._text(name) and told not in csl:
                csl[told] = self._text(name)
        if self.kind in _GENRES:
            csl.setdefault("genre", _GENRES[self.kind])
        if self._text("number"):
            csl["issue" if csl_type == "article-journal" else "number"] = self._text("number")
        if self._text("pages"):
            csl["page"] = re.sub(r"\s*(?:-+|–)\s*", "–", self._text("pages"))
        issued = self._issued()
        if issued:
            csl["issued"] = {"date-parts": [issued]}
        url = self._raw("url")
        if url and not _URL.fullmatch(url):
            self.wrong("url", "an address", "https://example.com/", f"'{url}'")
        elif url:
            csl["URL"] = url
        doi = re.sub(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", "", self._raw("doi"))
        if doi and not re.fullmatch(r"10\.\d+/[^\s<>\"]+", doi):
            self.wrong("doi", "a DOI", "10.1000/182", f"'{doi}'")
        elif doi:
            csl["DOI"] = doi
        seen = self._raw("urldate")
        if seen:
            parts = self._date("urldate", seen)
            if parts:
                csl["accessed"] = {"date-parts": [parts]}
        return csl

    def _text(self, name: str) -> str:
        return self._plain(name, self.fields.get(name, ""))

    def _plain(self, name: str, value: str) -> str:
        try:
            return plain(value)
        except ValueError:
            self.wrong(name, "text that LaTeX can read", "{\\'E}tude", f"'{_short(value)}'")
            return ""

    def _raw(self, name: str) -> str:
        """An address: nothing in it is LaTeX but what escapes a character."""
        value = re.sub(r"\\url\{(.*)\}", r"\1", self.fields.get(name, ""))
        return re.sub(r"\\([_&%#$~])", r"\1", value).strip().strip("{}")

    def _issued(self) -> list[int]:
        if self._raw("date"):
            return self._date("date", self._raw("date"))
        year, month = self._raw("year"), self._text("month").lower().strip(".")
        if not year:
            return []
        if not _YEAR.fullmatch(year):
            self.wrong("year", "a year", "2004", f"'{year}'")
            return []
        if not month:
            return [int(year)]
        number = int(month) if month.isdigit() else next(
            (place for place, name in enumerate(MONTHS, 1) if month.startswith(name)), 0
        )  # fmt: skip
        if not 1 <= number <= 12:
            self.wrong("month", "a month", "may", f"'{month}'")
            return []
        return [int(year), number]

    def _date(self, name: str, value: str) -> list[int]:
        match = _DATE.fullmatch(value)
        parts = [int(part) for part in match.groups() if part] if match else []
        if not parts or not all(1 <= part <= most for part, most in zip(parts[1:], (12, 31), strict=False)):
            self.wrong(name, "a date", "2004-05-02", f"'{value}'")
            return []
        return parts

    def _names(self, name: str) -> list[dict[str, str]]:
        from bibtexparser.middlewares import names

        told = []
        for one in names.split_multiple_persons_names(" ".join(self.fields[name].split())):
            if one == OTHERS:
                told.append({"literal": OTHERS})
                continue
            if one.startswith("{") and one.endswith("}") and _balanced(one):
                told.append({"literal": self._plain(name, one)})
                continue
            try:
                parts = names.parse_single_name_into_parts(one)
            except names.InvalidNameError:
                self.wrong(name, "names joined by 'and'", "{D. J. Vanier and A. Author}", f"'{one}'")
                continue
            given, particle, family, suffix = (
                self._plain(name, " ".join(words)) for words in (parts.first, parts.von, parts.last, parts.jr)
            )
            if not family:
                self.wrong(name, "names joined by 'and'", "{D. J. Vanier and A. Author}", f"'{one}'")
                continue
            if not given and not particle:
                told.append({"literal": family})
                continue
            person = {
                "family": family,
                "given": given,
                "non-dropping-particle": particle,
                "suffix": suffix,
            }
            told.append({field: value for field, value in person.items() if value})
        return told


def _split(raw: str) -> list[str]:
    """The parts that `#` joins, outside braces and quotation marks."""
    parts, depth, quoted, start = [], 0, False, 0
    for place, character in enumerate(raw):
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
        elif character == '"' and depth == 0:
            quoted = not quoted
        elif character == "#" and depth == 0 and not quoted:
            parts.append(raw[start:place])
            start = place + 1
    return [*parts, raw[start:]]


def _balanced(braced: str) -> bool:
    """Whether the first brace is closed by the last."""
    depth = 0
    for place, character in enumerate(braced):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            return place == len(braced) - 1
    return False


def _unwrapped(value: str) -> str:
    return value[1:-1] if value[:1] in ('"', "{") else value


def _short(value: str) -> str:
    words = " ".join(value.split())
    return words if len(words) < 60 else f"{words[:57]}…"
