"""Text with line numbers: what a content file says, before anybody knows what it means.

A file is front matter between two `---` lines and a body of Markdown. YAML never guesses here:
every value stays the text that was written (`7.10` is not `7.1`, `no` is not false) until its kind
reads it. This module must not know any kind of content.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import yaml

_Loader: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
MARK = "---"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")  # XML, and so feeds, cannot hold them
_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
LONGEST_NAME = 200
"""Bytes of a name in UTF-8: file systems take 255, and what is written beside a file needs some of them."""


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    """One thing that an author has to mend; `str()` is the line that is shown."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class Problems(Exception):
    """Content that cannot be bound. Expected trouble: shown whole, exit 1, nothing written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[Problems], tuple[tuple[Problem, ...]]]:
        """So that a process that renders can hand them to the one that tells them."""
        return (Problems, (self.problems,))


@dataclass(frozen=True, kw_only=True)
class Source:
    """One content file.

    `path` is relative to the content folder, with forward slashes; `front` the YAML mapping as nodes
    (None when it is empty); `front_line` and `body_line` the file's line numbers where each begins.
    """

    path: str
    digest: str
    front: yaml.MappingNode | None
    front_line: int
    body: str
    body_line: int


def digest_of(text: str) -> str:
    """A short hash that names this text, for "has it changed?" and nothing secret."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def decode(data: bytes, path: str) -> str:
    """The file's text with `\\n` line ends and no byte order mark; Problems when it is not UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Problems(
            [
                Problem(
                    path=path,
                    line=line,
                    message="the file must be text in UTF-8, not bytes in another encoding",
                )
            ]
        ) from None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    control = _CONTROL.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        message = f"the file must be text, not hold the control character U+{ord(control[0]):04X}"
        raise Problems([Problem(path=path, line=line, message=message)])
    return text


def split(text: str, path: str) -> tuple[str, int, str, int]:
    """(front matter, its first line, body, its first line); Problems when the two marks are not there."""
    head = f"{MARK}\n"
    if not text.startswith(head):
        raise Problems(
            [
                Problem(
                    path=path,
                    line=1,
                    message="the file must begin with front matter between two '---' lines, "
                    "such as '---', 'title: …', '---'",
                )
            ]
        )
    end = text.find(f"\n{MARK}\n", len(head) - 1)
    if end < 0 and text.endswith(f"\n{MARK}"):
        end = len(text) - len(MARK) - 1
    if end < 0:
        raise Problems(
            [
                Problem(
                    path=path, line=1, message="the front matter must be closed by a line '---', it has none"
                )
            ]
        )
    front = text[len(head) : end + 1]
    body_start = end + len(MARK) + 2
    return front, 2, text[body_start:], text.count("\n", 0, min(body_start, len(text))) + 1


def parse(text: str, path: str) -> Source:
    """Read one file's text. Raises Problems that name path and line."""
    front_text, front_line, body, body_line = split(text, path)
    try:
        node = yaml.compose(front_text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = front_line + (mark.line if mark else 0)
        what = error.problem or error.context or "it cannot be read"
        raise Problems(
            [
                Problem(
                    path=path, line=line, message=f"the front matter must be YAML, such as 'title: …': {what}"
                )
            ]
        ) from None
    except yaml.YAMLError as error:
        first = str(error).splitlines()[0]
        raise Problems(
            [Problem(path=path, line=front_line, message=f"the front matter must be YAML: {first}")]
        ) from None
    if node is None or (isinstance(node, yaml.ScalarNode) and node.value == ""):
        node = None
    elif not isinstance(node, yaml.MappingNode):
        raise Problems(
            [
                Problem(
                    path=path,
                    line=front_line,
                    message="the front matter must be fields such as 'title: …', not a list or a bare text",
                )
            ]
        )
    return Source(
        path=path, digest=digest_of(text), front=node, front_line=front_line, body=body, body_line=body_line
    )


def read_text(content: Path, path: str) -> str:
    """The text of one content file, decoded; the label in a Problem is the path below the folder."""
    return decode((content / path).read_bytes(), path)


class Found(NamedTuple):
    """A file below the content folder with what tells that it has not changed: size, mtime in ns, inode."""

    path: str
    size: int
    modified: int
    inode: int


def find(content: Path) -> Iterator[Found]:
    """Every file below the content folder, hidden ones left out, sorted by path. Raises Problems for names
    that cannot be published and for links that lead in a circle."""
    problems: list[Problem] = []
    real = os.path.realpath(content)
    found = sorted(_walk(str(content), "", (real,), problems), key=lambda found: found.path)
    if problems:
        raise Problems(problems)
    yield from found


def _walk(folder: str, prefix: str, way: tuple[str, ...], problems: list[Problem]) -> Iterator[Found]:
    """`way`: the real paths of the folders from the content folder to this one."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.endswith("~"):
                continue
            path = prefix + entry.name
            real = os.path.realpath(entry.path) if entry.is_symlink() else f"{way[-1]}{os.sep}{entry.name}"
            trouble = _unfit(entry.name) or (_circle(entry.path, real, way) if entry.is_symlink() else "")
            if trouble:
                shown = _BREAK.sub("?", path.encode("utf-8", "replace").decode())
                problems.append(Problem(path=shown, line=1, message=trouble))
            elif entry.is_dir():
                yield from _walk(entry.path, path + "/", (*way, real), problems)
            elif entry.is_file():
                stat = entry.stat()
                yield Found(path=path, size=stat.st_size, modified=stat.st_mtime_ns, inode=stat.st_ino)


def _unfit(name: str) -> str:
    """What is wrong with the name of a file or folder; "" for nothing."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "the name must be text in UTF-8, not bytes in another encoding"
    if size > LONGEST_NAME:
        return f"the name must have at most {LONGEST_NAME} bytes, not {size}"
    return "the name must be one line without control characters" if _BREAK.search(name) else ""


def _circle(path: str, real: str, way: tuple[str, ...]) -> str:
    """What is wrong with where a link leads; "" for nothing, and for one that leads nowhere."""
    try:
        os.stat(path)  # noqa: PTH116 (a text, as scandir gives it)
    except FileNotFoundError:
        return ""
    except OSError:
        return "the link must lead to a file or folder, not in a circle"
    if any(f"{folder}{os.sep}".startswith(f"{real}{os.sep}") for folder in way):
        return "the link must lead to a file or folder, not to a folder that it lies in"
    return ""
