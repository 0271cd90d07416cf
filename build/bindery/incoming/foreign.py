"""Foreign files: what a Markdown file of Jekyll, Hugo, Pelican or nobody in particular says of itself.

Every value stays the text that was written (`7.10` is not `7.1`); what the fields mean is not known here.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from bindery import source
from bindery.source import Problem, Problems

SUFFIXES = (".md", ".markdown", ".mdown", ".mkd", ".mdwn")
OF_PROGRAMS = frozenset(  # a program's own things and what it made, never an author's text
    {
        "node_modules", "themes", "layouts", "archetypes", "resources", "output", "public", "vendor",
        "__pycache__",
    }
)  # fmt: skip
POSTS, DRAFTS = "_posts", "_drafts"  # Jekyll's; every other folder whose name begins with a line is its own
_KEY = re.compile(r"([A-Za-z][\w -]{0,40}):(?:[ \t]+(.*))?$")
_USUAL = frozenset(
    {
        "title", "date", "author", "authors", "category", "tags", "keywords", "slug", "summary", "status",
        "modified", "version", "subtitle", "lang", "released", "template", "abstract", "description",
    }
)  # fmt: skip
_TOML_LINE = re.compile(r"\bline (\d+)")
Value = str | list["Value"] | dict[str, "Value"]


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """One file as its author wrote it. `path` is below the folder that is imported, with forward slashes;
    `fields` have lower-case names with underlines; `lines` gives each one's line, as far as it is known."""

    path: str
    fields: Mapping[str, Value]
    lines: Mapping[str, int]
    body: str
    body_line: int

    def line(self, name: str) -> int:
        return self.lines.get(name, 1)


def walk(folder: Path) -> Iterator[str]:
    """Every file below the folder by its relative path, sorted; not those of the programs themselves.

    Links to folders are not followed: one that leads in a circle would have no end. Links to files
    are, within this folder: one that leads out of it could bring what nobody meant to publish.
    """
    found = []
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name not in OF_PROGRAMS
            and not name.startswith(".")
            and (not name.startswith("_") or name in (POSTS, DRAFTS))
        )
        prefix = Path(here).relative_to(folder).as_posix()
        inside = [name for name in names if not name.startswith(".") and _lies_in(folder, Path(here, name))]
        found += [name if prefix == "." else f"{prefix}/{name}" for name in inside]
    return iter(sorted(found))


def _lies_in(folder: Path, path: Path) -> bool:
    return not path.is_symlink() or path.resolve().is_relative_to(folder.resolve())


def read(folder: Path, path: str) -> Foreign:
    """Read one file. Raises Problems that name path and line."""
    try:
        text = source.decode((folder / path).read_bytes(), path)
    except OSError as error:
        raise _trouble(path, 1, f"the file must be one that can be read: {error.strerror}") from None
    if text.startswith("---\n"):
        return _with_yaml(text, path)
    if text.startswith("+++\n"):
        return _with_toml(text, path)
    if text.startswith("{"):
        return _with_json(text, path)
    return _with_lines(text, path) or Foreign(path=path, fields={}, lines={}, body=text, body_line=1)


def _trouble(path: str, line: int, message: str) -> Problems:
    return Problems([Problem(path=path, line=line, message=message)])


def _made(path: str, text: str, start: int, end: int, fields: Mapping[str, Value]) -> Foreign:
    """`start` and `end`: where the front matter stands in the text; the body begins at `end`."""
    body = text[end:]
    return Foreign(
        path=path,
        fields={_name(name): value for name, value in fields.items()},
        lines={_name(name): _line_of(name, text, start, end) for name in fields},
        body=body,
        body_line=text.count("\n", 0, end) + 1,
    )


def _name(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def _line_of(name: str, text: str, start: int, end: int) -> int:
    found = re.compile(rf"^[ \t]*[\"']?{re.escape(name)}[\"']?[ \t]*[:=]", re.MULTILINE).search(
        text, start, end
    )
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _with_yaml(text: str, path: str) -> Foreign:
    end = re.compile(r"^(?:---|\.\.\.)[ \t]*$\n?", re.MULTILINE).search(text, 4)
    if end is None:  # the line was a rule across the page
        return Foreign(path=path, fields={}, lines={}, body=text, body_line=1)
    front = text[4 : end.start()]
    try:
        node = yaml.compose(front, Loader=yaml.CBaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        # `Title: One: two` is no YAML, and Pelican reads it.
        pelican = _fields_of_lines(front.split("\n")) if "mapping values" in what else None
        if pelican is None:
            line = 2 + (mark.line if mark else 0)
            raise _trouble(path, line, f"the front matter must be YAML that can be read: {what}") from None
        return _made(path, text, 4, end.end(), pelican)
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        return _made(path, text, 4, end.end(), {})
    if not isinstance(node, yaml.MappingNode):
        raise _trouble(
            path, 2, "the front matter must be fields such as 'title: …', not a list or a bare text"
        )
    made = _of_node(node)
    assert isinstance(made, dict)  # noqa: S101 (a mapping node)
    return _made(path, text, 4, end.end(), made)


def _of_node(node: yaml.Node) -> Value:
    if isinstance(node, yaml.MappingNode):
        return {key.value: _of_node(value) for key, value in node.value if isinstance(key, yaml.ScalarNode)}
    if isinstance(node, yaml.SequenceNode):
        return [_of_node(part) for part in node.value]
    return "" if node.value in ("~", "null") else str(node.value).strip()


def _with_toml(text: str, path: str) -> Foreign:
    end = re.compile(r"^\+\+\+[ \t]*$\n?", re.MULTILINE).search(text, 4)
    if end is None:
        raise _trouble(path, 1, "the front matter must be closed by a line '+++', it has none")
    try:
        fields = tomllib.loads(text[4 : end.start()], parse_float=str)
    except tomllib.TOMLDecodeError as error:
        line = _TOML_LINE.search(str(error))
        raise _trouble(
            path, 1 + int(line[1]) if line else 1, f"the front matter must be TOML that can be read: {error}"
        ) from None
    return _made(path, text, 4, end.end(), {name: _plain(value) for name, value in fields.items()})


def _with_json(text: str, path: str) -> Foreign:
    try:
        fields, end = json.JSONDecoder(parse_float=str, parse_int=str).raw_decode(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        what = getattr(error, "msg", "it is nested too deep")
        raise _trouble(path, line, f"the front matter must be JSON that can be read: {what}") from None
    rest = text[end:]
    end += len(rest) - len(rest.lstrip(" \t")) + rest.lstrip(" \t").startswith("\n")
    return _made(path, text, 0, end, {name: _plain(value) for name, value in fields.items()})


def _plain(value: object) -> Value:
    if isinstance(value, dict):
        return {str(name): _plain(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _with_lines(text: str, path: str) -> Foreign | None:
    """Pelican's fields, `Title: …` at the top and no line around them; None when the file has none."""
    block = re.compile(r"\n[ \t]*\n").search(text)
    end = block.end() if block else len(text)
    fields = _fields_of_lines(text[:end].rstrip("\n").split("\n"))
    # A text may begin with a word and a colon; one of the usual fields tells the two apart.
    if not fields or not {_name(name) for name in fields} & _USUAL:
        return None
    return _made(path, text, 0, end, fields)


def _fields_of_lines(lines: list[str]) -> dict[str, Value] | None:
    """Fields in the manner of Python-Markdown's `meta`: lines set in go on; None when a line is no field."""
    found: dict[str, str] = {}
    last = ""
    for line in lines:
        match = _KEY.match(line)
        if match:
            last = match[1].strip()
            found[last] = (match[2] or "").strip()
        elif last and line.startswith(("    ", "\t")):
            found[last] = f"{found[last]} {line.strip()}".strip()
        elif line.strip():
            return None
    return dict(found)
