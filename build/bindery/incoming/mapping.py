"""Mapping: our fields for theirs, and a name for the file. Where the front matter has no date or version, the
file's name may have one; what can mean two things is not guessed.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from bindery.incoming import markup
from bindery.incoming.foreign import DRAFTS, Foreign, Value
from bindery.incoming.markup import Remark
from bindery.kinds.item import CVE, VERSION

KINDS = ("release", "issue", "paper", "page")
_DATED = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[-_ T]|$)|(\d{4})(\d{2})(\d{2})(?:[-_ ]|$)")
_DATED_FOLDER = re.compile(r"(?:^|/)(\d{4})/(\d{2})/(\d{2})(?:/|$)")
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?\Z")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_IN_WORDS = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)? ([A-Za-z]{3,9})\.?,? (\d{4})"
    r"|([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})"
)
_TAIL = r"(?:[-.]?(?:alpha|beta|rc|sp|hf)[-.]?\d*)?"
_DOTTED = re.compile(r"(?<![\w.])[vV]?(\d+(?:\.\d+)+" + _TAIL + r")(?![\w]|\.\d)")
_JOINED = re.compile(r"(?<![0-9A-Za-z.])[vV]?(\d{1,4}(?:[_-]\d{1,4}){1,3})(?![\w])")
_WHOLE = re.compile(r"(?:^|(?:version|release|v)[-_ ]?)(\d{1,4})\Z", re.IGNORECASE)
_PERMALINK_PART = re.compile(r":\w+")

LONGEST = 120  # letters of a name: an address that can still be read aloud
_NAMING = re.compile(
    r"\b(?:version|release[sd]?|notes|update|changelog|what'?s new|in|of|for|v?[\d.]+\w*)\b", re.I
)
_OWN_WORDS = re.compile(r"[^\W\d_]{2,}")

# Their names for our fields, the first one given counts.
COMMON = {
    "title": ("title",),
    "summary": ("summary", "description", "excerpt", "subtitle", "lead"),
    "updated": ("updated", "lastmod", "modified", "last_modified_at", "last_updated"),
}
OLD_ADDRESSES = ("redirect_from", "aliases", "permalink", "url", "save_as")
DAYS = ("date", "released", "release_date", "published", "publishdate", "pubdate", "created")
OF_KIND: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "release": {"kind": ("kind",), "of": ("of",), "after": ("after",), "line": ("line", "branch")},
    "issue": {"number": ("number", "issue", "issue_number"), "preheader": ("preheader", "preview_text")},
    "paper": {"abstract": ("abstract",), "event": ("event",)},
    "page": {},
}
OF_NO_USE = frozenset(  # how the old program was to show the page: there is nothing to keep
    {
        "layout", "slug", "weight", "type", "template", "published", "draft", "status", "comments", "toc",
        "math", "sidebar", "menu", "theme", "render_with_liquid", "author_profile", "share", "related",
        "read_time", "header", "classes", "nav_order", "parent", "has_children", "lang", "locale", "showtoc",
        "hidetoc", "searchable", "pin", "mathjax", "publishdate", "expirydate", "cascade", "outputs", "url",
        "linktitle",
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """A file with our fields. `name` is that of our file, without folder and ending; `front` our front matter
    as it will be written; `kept_out` are the names of fields that have no counterpart; `version` and `day`
    are "" and None where nothing tells them."""

    foreign: Foreign
    name: str
    title: str
    front: dict[str, object]
    body: str
    day: date | None
    version: str
    old_addresses: tuple[str, ...]
    kept_out: tuple[str, ...]
    remarks: tuple[Remark, ...]
    missing: tuple[Remark, ...] = field(default=())


def mapped(foreign: Foreign, kind: str, *, product: str, now: datetime, draft: bool) -> Mapped:
    """Map one file to that kind; what it lacks stands in `missing`. `product` is a release's folder."""
    remarks: list[Remark] = []
    missing: list[Remark] = []
    fields = foreign.fields
    stem = _stem(foreign)
    bare = _DATED.sub("", stem, count=1) if _DATED.match(stem) else stem
    title, body = markup.headed(foreign.body, _text(fields.get("title")))
    title = title or _worded(bare)
    body, changed = markup.plain(body, foreign.body_line, title)
    remarks += changed
    used = {"title"}
    front: dict[str, object] = {}
    for ours, theirs in {**COMMON, **OF_KIND[kind]}.items():
        for name in theirs:
            if name in fields:
                used.add(name)
                if ours not in front and (text := _text(fields[name])):
                    front[ours] = text
    front["title"] = title
    if "summary" in front:
        front["summary"] = " ".join(re.sub(r"<[^>]+>|\{[{%].*?[%}]\}", "", str(front["summary"])).split())
    if "updated" in front:
        day = _day(str(front["updated"]))
        if day is None:
            remarks.append(_unread(foreign, "updated", COMMON["updated"], str(front.pop("updated"))))
        else:
            front["updated"] = day
    day = _its_day(foreign, stem, used, remarks)
    version = ""
    if kind == "release":
        body = markup.release_notes(body)
        version = _its_version(foreign, bare, title)
        used |= {"version", "security", "cve", "cves"}
        if day is None:
            missing += _no_day("released", remarks)
        front = _release_front(foreign, front, version, day, missing)
        # The house calls a release by product and version; what else the title says is its summary.
        del front["title"]
        if len(_OWN_WORDS.findall(_NAMING.sub(" ", title.replace(product, " ")))) > 1:
            front.setdefault("summary", title)
    elif kind in ("issue", "paper"):
        if day is None:
            missing += _no_day("date", remarks)
        else:
            front["date"] = day
        used |= {"author", "authors", "tags", "keywords"} if kind == "paper" else set()
        if kind == "paper":
            _paper_front(foreign, front, missing)
    elif day is not None and "updated" not in front:
        front["updated"] = day
    if draft or _is_draft(foreign):
        front["draft"] = True
    elif (instant := _instant(_text(fields.get("publishdate")))) and instant > now:
        front["publish_at"] = instant.isoformat()
    name = (
        version if kind == "release" else slug(_text(fields.get("slug")) or bare) or (f"{day}" if day else "")
    )
    if not name and kind != "release":
        missing.append(Remark(1, "the file's name must hold letters or digits, such as 'spring-2016.md'"))
    return Mapped(
        foreign=foreign,
        name=name,
        title=title,
        front=front,
        body=body,
        day=day,
        version=version,
        old_addresses=_old_addresses(foreign),
        kept_out=tuple(
            sorted(name for name in fields if name not in used | OF_NO_USE and name not in OLD_ADDRESSES)
        ),
        remarks=tuple(remarks),
        missing=tuple(missing),
    )


def text_of(front: Mapping[str, object], body: str) -> str:
    """The content file. Values are written as JSON, which YAML contains, unless they are plain words."""
    lines = ["---"]
    for name, value in front.items():
        if isinstance(value, bool):
            lines.append(f"{name}: {'true' if value else 'false'}")
        elif isinstance(value, date):
            lines.append(f"{name}: {value}")
        elif isinstance(value, (list, tuple)):
            lines.append(f"{name}:")
            lines += [f"  - {json.dumps(part, ensure_ascii=False)}" for part in value]
        elif re.fullmatch(r"[A-Za-z][\w ()./-]*", str(value)):
            lines.append(f"{name}: {value}")
        else:
            lines.append(f"{name}: {json.dumps(str(value), ensure_ascii=False)}")
    return "\n".join([*lines, "---", "", body.strip("\n"), ""])


def kinds_by_number(versions: Iterable[str], parts: int | None) -> dict[str, str]:
    """For each version number the version that it is an update of, "" for one that starts a life cycle.

    With `parts`, numbers of at most so many parts are versions. Without, a number is an update of the longest
    beginning of it that is itself a release (15.8.9 of 15.8), or, from two numbers on, is one with `.0`
    (1.2.1 of 1.2.0).
    """
    known = set(versions)
    found = {}
    for version in known:
        numbers = version.split(".")
        found[version] = ""
        lengths = range(len(numbers) - 1, 0, -1) if parts is None else [parts] if len(numbers) > parts else []
        for length in lengths:
            beginning = ".".join(numbers[:length])
            of = next(
                (
                    one
                    for one in (beginning, f"{beginning}.0" if length > 1 else "")
                    if one in known and one != version
                ),
                "",
            )
            if of:
                found[version] = of
                break
    # An update belongs to a version, never to another update.
    for version, of in found.items():
        while of and found[of]:
            of = found[of]
        found[version] = of
    return found


# One field each


def _text(value: Value | None) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_text, value)))
    if isinstance(value, dict):
        return _text(value.get("name") or value.get("title"))
    return " ".join((value or "").split())


def _stem(foreign: Foreign) -> str:
    *folders, name = foreign.path.split("/")
    stem = name.rpartition(".")[0]
    # A folder with an index is one page with its pictures (Hugo's bundles).
    return folders[-1] if stem.lower() in ("index", "_index", "readme") and folders else stem


def _worded(stem: str) -> str:
    words = re.sub(r"[-_]+", " ", stem).strip()
    return words[:1].upper() + words[1:]


def slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.]+", "-", plain).strip("-.").lower()[:LONGEST].rstrip("-.")


def _wanted(name: str, such_as: str) -> str:
    return f"'{name}' must be there, such as {such_as}: neither the front matter nor the file's name tells it"


def _unread(foreign: Foreign, ours: str, theirs: Iterable[str], given: str) -> Remark:
    name = next(name for name in theirs if name in foreign.fields)
    return Remark(
        foreign.line(name), f"'{name}' must be a date such as 2025-01-29, not '{given}'; it is not kept"
    )


def _no_day(ours: str, remarks: list[Remark]) -> list[Remark]:
    """What to say of a file without a day: of the one that cannot be read, where there is one."""
    unread = [remark for remark in remarks if remark.message.startswith("'date'")]
    told = [Remark(line, message.removesuffix("; it is not kept")) for line, message in unread]
    return told or [Remark(1, _wanted(ours, "2025-01-29"))]


def _day(text: str) -> date | None:
    """A day in a form that means one day alone: 05/01/2016 may be two."""
    try:
        if match := _ISO.match(text.strip()):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _IN_WORDS.fullmatch(text.strip()):
            word = (match[2] or match[4]).lower()
            months = [number for number, name in enumerate(_MONTHS, 1) if name.startswith(word)]
            if len(months) == 1:
                return date(int(match[3] or match[6]), months[0], int(match[1] or match[5]))
    except ValueError:
        pass
    return None


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else None


def _its_day(foreign: Foreign, stem: str, used: set[str], remarks: list[Remark]) -> date | None:
    for name in DAYS:
        text = _text(foreign.fields.get(name))
        if name not in foreign.fields or text in ("true", "false", ""):
            continue
        used.add(name)
        if day := _day(text):
            return day
        remarks.append(_unread(foreign, "date", [name], text))
    for match in (_DATED.match(stem), _DATED_FOLDER.search(foreign.path)):
        if match:
            try:
                return date(*[int(part) for part in match.groups() if part])
            except ValueError:
                continue
    return None


def _its_version(foreign: Foreign, bare: str, title: str) -> str:
    given = _text(foreign.fields.get("version"))
    if given:
        return re.sub(r"^[vV](?=\d)", "", given)
    for text in (bare, title):
        if match := _DOTTED.search(text):
            return match[1]
    if match := _JOINED.search(bare):
        return re.sub("[_-]", ".", match[1])
    match = _WHOLE.search(bare) or _WHOLE.search(title)
    return match[1] if match else ""


def _release_front(
    foreign: Foreign, front: dict[str, object], version: str, day: date | None, missing: list[Remark]
) -> dict[str, object]:
    if not version:
        missing.append(Remark(foreign.line("version"), _wanted("version", "'23.10'")))
    elif not VERSION.match(version):
        missing.append(
            Remark(foreign.line("version"), f"'version' must be a version such as '23.10', not '{version}'")
        )
    security = [
        cve
        for name in ("security", "cve", "cves")
        for cve in re.findall(CVE.pattern.removesuffix(r"\Z"), _text(foreign.fields.get(name)))
    ]
    return {
        "version": f"{version}",
        "released": day,
        **front,
        **({"security": list(dict.fromkeys(security))} if security else {}),
    }


def _paper_front(foreign: Foreign, front: dict[str, object], missing: list[Remark]) -> None:
    given = foreign.fields.get("authors") or foreign.fields.get("author")
    authors = []
    for one in (
        given if isinstance(given, list) else [given] if isinstance(given, dict) else _names(_text(given))
    ):
        if isinstance(one, dict):
            person = {name: _text(one.get(name)) for name in ("name", "affiliation", "orcid")}
            authors.append({name: value for name, value in person.items() if value})
        elif _text(one):
            authors.append({"name": _text(one)})
    if not authors:
        missing.append(
            Remark(1, "'authors' must be there, such as 'author: D. J. Vanier'; the front matter has none")
        )
    for person in authors:
        person["name"] = _as_spoken(person.get("name", ""))
    front["authors"] = authors
    if "abstract" not in front and "summary" in front:
        front["abstract"] = front["summary"]
    if "abstract" not in front:
        missing.append(Remark(1, "'abstract' must be there, or a summary; the front matter has neither"))
    keywords = foreign.fields.get("keywords") or foreign.fields.get("tags") or []
    words = [_text(word) for word in keywords] if isinstance(keywords, list) else _text(keywords).split(",")
    if words := [word.strip() for word in dict.fromkeys(words) if word.strip()]:
        front["keywords"] = words


def _as_spoken(name: str) -> str:
    """`Vanier, D. J.` is `D. J. Vanier`; what has more commas than one stays, for a person to look at."""
    family, comma, given = name.partition(",")
    return name if not comma or "," in given else f"{given.strip()} {family.strip()}".strip()


def _names(text: str) -> list[str]:
    """`A. One and B. Two`, `A. One; B. Two`, `A. One, B. Two`; `One, A.` is one person."""
    parts = re.split(r"\s*;\s*|\s+and\s+", text)
    if len(parts) == 1 and all(" " in part.strip() for part in text.split(",")):
        parts = text.split(",")
    return [part.strip() for part in parts if part.strip()]


def _is_draft(foreign: Foreign) -> bool:
    fields = foreign.fields
    return (
        _text(fields.get("draft")).lower() in ("true", "yes")
        or _text(fields.get("published")).lower() in ("false", "no")
        or _text(fields.get("status")).lower() in ("draft", "hidden")
        or DRAFTS in foreign.path.split("/")
    )


def _old_addresses(foreign: Foreign) -> tuple[str, ...]:
    """Addresses that the old site gave the page, without host, such as `2016/05/spring.html/`."""
    found = []
    for name in OLD_ADDRESSES:
        given = foreign.fields.get(name)
        for one in given if isinstance(given, list) else [given]:
            text = re.sub(r"^[a-z]+://[^/]*", "", _text(one)).removesuffix("index.html").partition("?")[0]
            if (
                text.strip("/")
                and not _PERMALINK_PART.search(text)
                and re.fullmatch(r"[\w.~+/-]+", text, re.ASCII)
            ):
                found.append(text.strip("/") + "/")
    return tuple(dict.fromkeys(found))
