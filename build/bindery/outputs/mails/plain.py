"""The text part of a mail: the body as people read it in plain text, every link written out."""

from __future__ import annotations

import re
import textwrap
from html.parser import HTMLParser

WIDTH = 72
BLOCKS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "figcaption", "caption", "summary"})
_SPACE = re.compile(r"[ \t\r\n]+")


def as_text(html: str) -> str:
    """HTML of a body as text: lines of at most 72 but for addresses, tables as columns, code as it is."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.end()
    return "\n".join(reader.lines).strip("\n")


class _Reader(HTMLParser):
    """Walks the HTML that Markdown gives, and writes lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._words = ""
        self._code: str | None = None
        self._marks: list[str] = []  # of the lists and quotes around, from the outside
        self._next = ""  # what the next line of a list begins with, instead of the last mark
        self._numbers: list[int] = []
        self._links: list[tuple[str, int]] = []
        self._rows: list[list[str]] | None = None
        self._first = False  # whether the next item is the first of its list
        self._back = False  # inside a link that leads from a note back to its place in the text
        self._note = False  # inside the number of a footnote, not in an exponent
        self._loose = True  # whether a block stands off by an empty line

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("ul", "ol"):
            self._block(loose=not self._numbers)
            self._first = True
            self._numbers.append(int(given.get("start") or 1) if tag == "ol" else 0)
        elif tag == "li":
            self._block(loose=None if self._first else False)
            loose, self._first = self._loose and self._first, False
            number = self._numbers[-1] if self._numbers else 0
            mark = f"{number}. " if number else "- "
            if number:
                self._numbers[-1] += 1
            self._next = mark
            self._marks.append(" " * len(mark))
            self._loose = loose
        elif tag == "blockquote":
            self._block()
            self._marks.append("> ")
        elif tag == "dd":
            self._block(loose=False)
            self._marks.append("  ")
            self._loose = False
        elif tag == "pre":
            self._block()
            self._code = ""
        elif tag == "br":
            self._words += "\0"
        elif tag == "hr":
            self._block()
            self._write(["-" * 20])
        elif tag == "a":
            self._back = "footnote-backref" in given.get("class", "")
            target = given.get("href", "")
            self._links.append((target, len(self._words)))
        elif tag == "sup":
            self._note = given.get("id", "").startswith("fnref")
            self._words += "[" if self._note else "^"
        elif tag == "img":
            if given.get("alt"):
                self._words += f"[Picture: {given['alt']}]"
        elif tag == "table":
            self._block()
            self._rows = []
        elif tag == "tr" and self._rows is not None:
            self._rows.append([])
        elif tag in BLOCKS or tag in ("div", "section", "details", "dl", "figure"):
            self._block(loose=None)

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre" and self._code is not None:
            code, self._code = self._code, None
            self._write(code.strip("\n").split("\n"))
        elif tag in ("td", "th") and self._rows:
            self._rows[-1].append(_SPACE.sub(" ", self._words.replace("\0", " ")).strip())
            self._words = ""
        elif tag == "table" and self._rows is not None:
            rows, self._rows = self._rows, None
            self._write(_columns(rows, WIDTH - len("".join(self._marks))))
        elif tag == "sup":
            self._words += "]" if self._note else ""
        elif tag == "a" and self._links:
            self._back = False
            target, start = self._links.pop()
            shown = self._words[start:].strip()
            told = (target, target.removeprefix("mailto:"))
            if target and not target.startswith("#") and shown not in told:
                self._words += f" <{target}>"
        elif tag in ("ul", "ol"):
            self._block(loose=None)
            if self._numbers:
                self._numbers.pop()
            self._loose = True
        elif tag in ("li", "dd", "blockquote"):
            self._block(loose=None)
            if self._marks:
                self._marks.pop()
            self._next = ""
            self._loose = tag == "blockquote"
        elif tag == "dl":
            self._block(loose=None)
            self._loose = True
        elif tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            title = _SPACE.sub(" ", self._words.replace("\0", " ")).strip()
            self._words = ""
            if title:
                self._write([title, ("=" if tag == "h1" else "-") * min(len(title), WIDTH)])
        elif tag in BLOCKS:
            self._block(loose=None)
            self._loose = True

    def handle_data(self, data: str) -> None:
        if self._code is not None:
            self._code += data
        elif not self._back:
            self._words += data

    def end(self) -> None:
        """Write what is left."""
        self._block(loose=None)

    def _block(self, loose: bool | None = True) -> None:
        """Write the words so far as a paragraph; `loose` says whether what follows stands off."""
        words, self._words = self._words, ""
        parts = [_SPACE.sub(" ", part).strip() for part in words.split("\0")]
        if any(parts):
            room = max(20, WIDTH - len("".join(self._marks)))
            made: list[str] = []
            for part in parts:
                made += textwrap.wrap(part, room, break_long_words=False, break_on_hyphens=False) or [""]
            self._write(made)
        if loose is not None:
            self._loose = loose

    def _write(self, lines: list[str]) -> None:
        indent = "".join(self._marks)
        first = indent[: -len(self._next)] + self._next if self._next else indent
        if self._loose and self.lines and self.lines[-1].strip(" >"):
            quoted = ">" in indent and self.lines[-1].lstrip().startswith(">")
            self.lines.append(indent.rstrip() if quoted else "")
        self._next = ""
        for place, line in enumerate(lines):
            self.lines.append(f"{first if place == 0 else indent}{line}".rstrip())
        self._loose = True


def _columns(rows: list[list[str]], room: int) -> list[str]:
    """A table as columns, its head, the first row, underlined; where it is wider than `room`, row by row."""
    rows = [row for row in rows if row]
    if not rows:
        return []
    count = max(map(len, rows))
    rows = [[*row, *[""] * (count - len(row))] for row in rows]
    widths = [max(len(row[place]) for row in rows) for place in range(count)]
    if sum(widths) + 2 * (count - 1) > room and len(rows) > 1:
        return _records(rows, room)
    rule = ["-" * width for width in widths]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (rows[0], rule, *rows[1:])
    ]


def _records(rows: list[list[str]], room: int) -> list[str]:
    """A wide table as one list a row: mail programs break long lines, and columns are lost then."""
    lines: list[str] = []
    for row in rows[1:]:
        mark = "- "
        for name, cell in zip(rows[0], row, strict=True):
            told = f"{name}: {cell}" if name and cell else cell
            if told:
                lines += textwrap.wrap(
                    told,
                    room,
                    initial_indent=mark,
                    subsequent_indent="    ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
                mark = "  "
    return lines
