"""Releases: versions, which start a life cycle, and updates, which belong to one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from bindery import prose
from bindery.kinds.item import CVE, VERSION, Item, common, fields_of
from bindery.prose import Entry
from bindery.source import Problem, Source

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A download: `size` in bytes, `sha256` in lower-case hexadecimal."""

    name: str
    size: int
    sha256: str
    platform: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Release(Item):
    """A release of a product; `release_kind` is `version` or `update`, `of` the version of an update.

    `entries` have an id; `unnumbered` are the other bullets that tell what an upgrade brings. `secures`:
    whether it mends a weakness, which `security` names or an entry below Security tells.
    """

    FOLDED = ("entries", "unnumbered")

    product: str
    version: str
    released: date
    release_kind: str
    of: str
    after: str
    line: str
    support_ends: date | None
    support_ends_because: str
    security: tuple[str, ...]
    files: tuple[File, ...]
    requires_stop: bool
    secures: bool
    entries: tuple[Entry, ...]
    unnumbered: tuple[Entry, ...]


def parse(source: Source, problems: list[Problem]) -> Release | None:
    """One release from `releases/<product>/<version>.md`; None when it cannot be made (see problems)."""
    fields = fields_of(source, problems)
    _, product, name = source.path.split("/")
    stem = name.removesuffix(".md")
    plain = prose.without_code(source.body)
    before = len(problems)
    shared = common("release", source, fields, title=f"{product} {stem}", plain=plain)
    if not fields.given("title"):
        shared["title"] = ""
    version = fields.text("version", such_as=f"'{stem}'", must_be="a version", required=True, pattern=VERSION)
    if version and version != stem:
        fields.wrong("version", "the version that the file's name says", f"'{stem}'", f"'{version}'")
    released = fields.date("released", required=True)
    release_kind = fields.choice("kind", ("version", "update"), required=True)
    of = fields.text("of", such_as="15.8", must_be="the version that this update belongs to", pattern=VERSION)
    if release_kind == "update" and not fields.given("of"):
        fields.wrong("of", "the version that this update belongs to", "15.8", "left out")
    if release_kind == "version" and of:
        fields.wrong("kind", "'update' where 'of' is given", "update", "'version'")
    if of and of == stem:
        fields.wrong("of", "another release", "15.8", "this release itself")
    after = fields.text("after", such_as="15.7", must_be="the release before this one", pattern=VERSION)
    if after and after == stem:
        fields.wrong("after", "another release", "15.7", "this release itself")
    support_ends = fields.date("support_ends")
    because = fields.text("support_ends_because", such_as="'Extended for customers of line 15.'")
    if fields.given("support_ends") and not fields.given("support_ends_because"):
        fields.wrong(
            "support_ends_because",
            "given with 'support_ends'",
            "'Extended for customers of line 15.'",
            "left out",
        )
    if fields.given("support_ends_because") and not fields.given("support_ends"):
        fields.wrong("support_ends", "a date, given with its reason,", "2026-12-31", "left out")
    if support_ends and released and support_ends < released:
        fields.wrong("support_ends", "a date after 'released'", f"{released}", f"'{support_ends}'")
    line = fields.text("line", such_as="23", must_be="the name of a line of versions", pattern=VERSION)
    security = fields.texts("security", such_as="CVE-2025-0994", must_be="a list of CVE ids", pattern=CVE)
    files: list[File] = []
    for below in fields.mappings("files", such_as="'- name: setup.zip'"):
        file_name = below.text(
            "name", such_as="cityworks-23.10.zip", must_be="a file name", required=True, pattern=_FILE_NAME
        )
        size = below.whole("size", such_as="1048576", required=True)
        sha256 = below.text(
            "sha256", such_as="64 hexadecimal digits", must_be="a SHA-256", required=True, pattern=_SHA256
        )
        platform = below.text("platform", such_as="windows-x64")
        below.finish("a file")
        if file_name in [file.name for file in files]:
            fields.wrong(
                "files", "a list of files with names of their own", "setup.zip", f"'{file_name}' twice"
            )
        files.append(File(name=file_name, size=size or 0, sha256=sha256, platform=platform))
    requires_stop = fields.flag("requires_stop")
    entries = prose.entries(plain, source.body, source.body_line)
    seen: dict[str, int] = {}
    for entry in entries:
        if entry.section != "Known issues" and seen.setdefault(entry.id, entry.line) != entry.line:
            problems.append(
                Problem(
                    path=source.path,
                    line=entry.line,
                    message=f"entry '{entry.id}' must stand once in a release, "
                    f"it stands on line {seen[entry.id]} too",
                )
            )
    fields.finish("a release")
    if len(problems) > before or released is None:
        return None
    return Release(
        **shared,
        product=product,
        version=version,
        released=released,
        release_kind=release_kind,
        of=of,
        after=after,
        line=line,
        support_ends=support_ends,
        support_ends_because=because,
        security=security,
        files=tuple(files),
        requires_stop=requires_stop,
        secures=bool(security) or any(entry.section == "Security" for entry in entries),
        entries=entries,
        unnumbered=prose.unnumbered(plain, source.body, source.body_line),
    )
