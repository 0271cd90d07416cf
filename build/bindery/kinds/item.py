"""What every kind of content has, and how its common fields are read.

Frozen values: past `parse` nobody asks again whether a field is sound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict

from bindery import prose
from bindery.fields import Fields
from bindery.folding import Folding
from bindery.prose import Link, Name
from bindery.source import Problem, Source

SLUG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*\Z")
CVE = re.compile(r"CVE-\d{4}-\d{4,}\Z")
OLD_PATH = re.compile(r"/?[A-Za-z0-9._~+/-]+/?\Z")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]*\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Item(Folding):
    """One content file, read and found sound by itself.

    `path` is below the content folder; `url` below the site's root without a leading slash ("" is the
    home page); `id` is permanent; `digest` names the file's text; `lines` gives each field's line.
    """

    kind: str
    path: str
    url: str
    id: str
    title: str
    summary: str
    sample: bool
    sample_note: str
    publish_at: datetime | None
    draft: bool
    redirect_from: tuple[str, ...]
    updated: date | None
    digest: str
    links: tuple[Link, ...]
    names: tuple[Name, ...]
    anchors: tuple[str, ...]
    lines: dict[str, int]

    def where(self, field: str) -> str:
        """`path:line` of a field, as reasons name it."""
        return f"{self.path}:{self.lines.get(field, 1)}"

    def shown_at(self, now: datetime) -> bool:
        """Whether this item exists for readers at that moment."""
        return not self.draft and (self.publish_at is None or self.publish_at <= now)


class CommonFields(TypedDict):
    """Keyword arguments that every kind's dataclass takes."""

    kind: str
    path: str
    url: str
    id: str
    title: str
    summary: str
    sample: bool
    sample_note: str
    publish_at: datetime | None
    draft: bool
    redirect_from: tuple[str, ...]
    updated: date | None
    digest: str
    links: tuple[Link, ...]
    names: tuple[Name, ...]
    anchors: tuple[str, ...]
    lines: dict[str, int]


def fields_of(source: Source, problems: list[Problem]) -> Fields:
    """The reader of a file's front matter."""
    return Fields(path=source.path, node=source.front, line=source.front_line, problems=problems)


def url_of(path: str) -> str:
    """The address of a content file: `help/iis.md` is `help/iis/`, an index file its folder."""
    stem = path.removesuffix(".md")
    if stem == "index":
        return ""
    return stem.removesuffix("/index") + "/"


def id_of(kind: str, path: str, redirect_from: tuple[str, ...]) -> str:
    """The id of a file that names none: made of its path, or of the first that it had when it was renamed.

    An address of another section, or of another system, is no earlier name of the file.
    """
    own = path.removesuffix(".md")
    if not redirect_from:
        return own
    first = redirect_from[0].rstrip("/") + ("/index" if own.endswith("/index") else "")
    same_section = first.split("/", 1)[0] == own.split("/", 1)[0]
    same_depth = kind == "page" or first.count("/") == own.count("/")
    return first if same_section and same_depth else own


def common(
    kind: str, source: Source, fields: Fields, *, title: str = "", plain: str | None = None
) -> CommonFields:
    """Read the fields that all kinds share. `title` stands in where a kind makes its own."""
    stem = source.path.removesuffix(".md").rsplit("/", 1)[-1]
    if not VERSION.match(stem):
        fields.wrong(
            "path", "a file name of letters, digits, dots and dashes", "'iis-hardening.md'", f"'{stem}.md'"
        )
    plain = prose.without_code(source.body) if plain is None else plain
    for line, text in prose.crossed(plain, source.body, source.body_line):
        message = (
            f"emphasis must close what it opened last such as <em>a</em><strong>b</strong>, not '{text}'"
        )
        fields.problems.append(Problem(path=source.path, line=line, message=message))
    redirect_from = tuple(
        old.strip("/") + "/"
        for old in fields.texts(
            "redirect_from", such_as="old/path/", must_be="a list of old paths", pattern=OLD_PATH
        )
    )
    return CommonFields(
        kind=kind,
        path=source.path,
        url=url_of(source.path),
        id=fields.text("id", such_as="CW-1234", must_be="a permanent id", pattern=_ID)
        or id_of(kind, source.path, redirect_from),
        title=fields.text("title", such_as="'Preparing an upgrade'", required=not title) or title,
        summary=fields.text("summary", such_as="'One sentence for lists and feeds.'"),
        sample=fields.flag("sample"),
        sample_note=fields.text("sample_note", such_as="'The version is real, its date is not.'"),
        publish_at=fields.instant("publish_at"),
        draft=fields.flag("draft"),
        redirect_from=redirect_from,
        updated=fields.date("updated"),
        digest=source.digest,
        links=prose.links(plain, source.body_line),
        names=prose.names(plain, source.body_line),
        anchors=prose.anchors(plain, source.body),
        lines=fields.lines,
    )
