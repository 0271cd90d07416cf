"""From Python-Markdown's HTML of a paper to a tree of known things, for print.

Anything that has no name here is refused: half a paper in print is worse than none. An author's text stays
text: the tree is JSON, and the template that sets it evaluates none of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from bindery.formulas import Node

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
OPEN, CLOSE = "\ue000", "\ue001"
"""Around the number of a formula, which is set aside while Markdown is read."""
CAPTION = "Table: "
_TOKEN = re.compile(f"{OPEN}([0-9]+){CLOSE}")
_SPACE = re.compile(r"[ \t\r\n]+")
_VOID = frozenset({"br", "hr", "img"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INLINE = frozenset({"a", "br", "code", "em", "img", "strong", "sup"})


@dataclass(slots=True)
class _Tag:
    name: str
    attributes: dict[str, str | None]
    children: list[_Tag | str] = field(default_factory=list)

    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = _Tag("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = _Tag(tag, dict(attrs))
        self._open[-1].children.append(made)
        if tag not in _VOID:
            self._open.append(made)

    def handle_endtag(self, tag: str) -> None:
        names = [opened.name for opened in self._open]
        if tag in names[1:]:
            del self._open[len(names) - 1 - names[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def tree(html: str) -> _Tag:
    builder = _Builder()
    builder.feed(html)
    builder.close()
    return builder.root


class Walk:
    """From Python-Markdown's HTML to nodes; what is not known here goes to `trouble`."""

    def __init__(
        self,
        kept: Sequence[Node],
        link: Callable[[str], str],
        picture: Callable[[str], str],
        trouble: list[str],
        ids: set[str],
    ) -> None:
        self.kept, self.link, self.picture, self.trouble = kept, link, picture, trouble
        self.pictures: list[str] = []
        self.notes: dict[str, _Tag] = {}
        self.noted: set[str] = set()
        self.ids = ids
        self.placed: set[str] = set()
        self.targets: list[str] = []
        self.level = 1
        self.figures = self.tables = 0

    def document(self, root: _Tag) -> list[Node]:
        for child in root.children:
            if isinstance(child, _Tag) and child.attributes.get("class") == "footnote":
                for entry in _tags(child, "li"):
                    self.notes[(entry.attributes.get("id") or "").removeprefix("fn:")] = entry
        blocks = self.blocks(root)
        for name in self.notes:
            if name not in self.noted:
                self.refuse(f"the footnote must be referred to in the text such as by [^{name}], it is not")
        for target in self.targets:
            if target not in self.ids:
                self.refuse(
                    f"the link must lead to a heading or figure of the paper such as #method, not '#{target}'"
                )
        return blocks

    def place(self, name: str) -> None:
        """Take the name of a heading or a figure, which links lead to."""
        if name and name in self.placed:
            self.refuse(
                f"the name must stand once in a paper such as {{#{name}-2}}, and #{name} stands twice"
            )
        self.placed.add(name)
        self.ids.add(name)

    def refuse(self, message: str) -> None:
        self.trouble.append(message)

    # Blocks

    def blocks(self, parent: _Tag) -> list[Node]:
        made: list[Node] = []
        inline: list[_Tag | str] = []
        for child in [*parent.children, _Tag("", {})]:
            if isinstance(child, str) or child.name in _INLINE:
                inline.append(child)
                continue
            if any(not isinstance(one, str) or one.strip(" \t\r\n") for one in inline):
                made += self.paragraph(inline)
            inline = []
            if child.name:
                made += self.block(child, made)
        return made

    def block(self, tag: _Tag, before: list[Node]) -> list[Node]:
        known: Mapping[str, Callable[[_Tag], list[Node]]] = {
            "p": lambda tag: self.paragraph(tag.children),
            "ul": self.items,
            "ol": self.items,
            "dl": self.terms,
            "blockquote": lambda tag: [["quote", self.blocks(tag)]],
            "pre": self.listing,
            "hr": lambda tag: [["rule"]],
            "div": self.division,
        }
        if tag.name in _HEADINGS:
            return self.heading(tag)
        if tag.name == "table":
            return self.table(tag, before)
        if tag.name not in known:
            self.refuse(
                f"the text must be what a PDF can show such as a list, a table or a picture, not <{tag.name}>"
            )
            return []
        self.plain(tag, *{"ol": ("start",), "div": ("class",)}.get(tag.name, ()))
        return known[tag.name](tag)

    def plain(self, tag: _Tag, *known: str) -> None:
        """Refuse what `{: … }` or HTML gave a thing and a PDF cannot show."""
        for name, value in tag.attributes.items():
            if name not in known:
                shown = f"{name}='{value}'"
                self.refuse(
                    f"the text must do without attributes in braces, which a PDF cannot show, not {shown}"
                )

    def heading(self, tag: _Tag) -> list[Node]:
        level = _HEADINGS[tag.name]
        self.plain(tag, "id")
        words = tag.text()
        if level == 1:
            self.refuse(f"the heading must begin with '##', for '#' is the title, not '# {shortened(words)}'")
        elif level > self.level + 1:
            wanted, given = "#" * (self.level + 1), "#" * level
            self.refuse(
                f"the heading must be one level below the one before it such as '{wanted} …', "
                f"not '{given} {shortened(words)}'"
            )
        if not words.strip():
            self.refuse("the heading must have words such as 'Method', not an empty one")
        if _TOKEN.search(words):
            self.refuse("the heading must be words such as 'Method', not mathematics")
        self.level = max(level, 2)
        name = tag.attributes.get("id") or ""
        self.place(name)
        return [["heading", max(level - 1, 1), name, self.inlines(tag.children)]]

    def paragraph(self, children: Sequence[_Tag | str]) -> list[Node]:
        some = [one for one in children if not isinstance(one, str) or one.strip(" \t\r\n")]
        if len(some) == 1 and isinstance(some[0], _Tag) and some[0].name == "img":
            return self.figure(some[0])
        alone = _TOKEN.fullmatch(some[0].strip()) if len(some) == 1 and isinstance(some[0], str) else None
        if alone and self.kept[int(alone[1])][2]:
            return [self.kept[int(alone[1])]]
        nodes = self.inlines(children)
        return [["par", nodes]] if nodes else []

    def figure(self, tag: _Tag) -> list[Node]:
        self.plain(tag, "src", "alt", "title", "id")
        src, alt = tag.attributes.get("src") or "", (tag.attributes.get("alt") or "").strip()
        caption, name = tag.attributes.get("title") or "", tag.attributes.get("id") or ""
        if not alt:
            self.refuse(
                "the picture must have words for those who do not see it such as "
                f"![A map of all mains]({src}), not ![]({src})"
            )
        if re.match(r"[a-z+.-]+:|//", src, re.IGNORECASE) or not src.lower().endswith(PICTURES):
            self.refuse(
                "the picture must be a file beside the paper such as map.png, map.jpg or map.svg, "
                f"not '{shortened(src)}'"
            )
            return []
        self.place(name)
        path = self.picture(src)
        self.pictures.append(path)
        self.figures += 1 if caption else 0
        return [["figure", path, alt, caption, self.figures if caption else 0, name]]

    def table(self, tag: _Tag, before: list[Node]) -> list[Node]:
        self.plain(tag)
        rows = []
        for row in _tags(tag, "tr"):
            cells = [cell for cell in row.children if isinstance(cell, _Tag)]
            for cell in cells:
                self.plain(cell, "style")
            rows.append(cells)
        head = rows[0]
        if any(not cell.text().strip() for cell in head):
            self.refuse(
                "the table must have a heading above each column such as '| Month | Count |', "
                "not an empty one"
            )
        sides = [
            (cell.attributes.get("style") or "").removeprefix("text-align: ").rstrip(";") for cell in head
        ]
        caption: list[Any] = []
        number = 0
        if before and before[-1][0] == "par" and str(before[-1][1][0]).startswith(CAPTION):
            caption = before.pop()[1]
            caption[0] = str(caption[0]).removeprefix(CAPTION)
            self.tables += 1
            number = self.tables
        made = [[self.inlines(cell.children) for cell in row] for row in rows]
        return [["table", sides, made[0], made[1:], caption, number]]

    def items(self, tag: _Tag) -> list[Node]:
        start = int(tag.attributes.get("start") or 1)
        items = []
        for item in _tags(tag, "li"):
            self.plain(item)
            items.append(self.blocks(item))
        loose = any(
            isinstance(one, _Tag) and one.name == "p" for item in _tags(tag, "li") for one in item.children
        )
        return [["list" if tag.name == "ul" else "enum", start, not loose, items]]

    def terms(self, tag: _Tag) -> list[Node]:
        made: list[Node] = []
        for child in tag.children:
            if isinstance(child, _Tag) and child.name == "dt":
                self.plain(child)
                made.append([self.inlines(child.children), []])
            elif isinstance(child, _Tag) and child.name == "dd" and made:
                self.plain(child)
                made[-1][1] += self.blocks(child)
            elif isinstance(child, _Tag):
                self.refuse("the meaning must stand in the line below its term, not without one")
        return [["terms", made]]

    def listing(self, tag: _Tag) -> list[Node]:
        if _TOKEN.search(tag.text()):
            self.refuse(
                "the code must stand between lines of ``` when it holds dollars, not behind four spaces"
            )
        for code in tag.children:
            if isinstance(code, _Tag):
                self.plain(
                    code,
                    *(("class",) if (code.attributes.get("class") or "").startswith("language-") else ()),
                )
                for below in code.children:
                    if isinstance(below, _Tag):
                        self.refuse(
                            f"the text must be Markdown such as *word*, not HTML such as '<{below.name}>'"
                        )
        return [["listing", tag.text().rstrip("\n")]]

    def division(self, tag: _Tag) -> list[Node]:
        kind = tag.attributes.get("class") or ""
        if kind == "footnote":
            return []
        if kind.split(" ")[0] != "admonition":
            self.refuse("the text must be Markdown such as *word*, not HTML such as '<div>'")
            return []
        title: list[Node] = []
        below = []
        for child in tag.children:
            if isinstance(child, _Tag) and child.attributes.get("class") == "admonition-title":
                title = self.inlines(child.children)
            else:
                below.append(child)
        return [["remark", title, self.blocks(_Tag("div", {}, below))]]

    # Within a line

    def inlines(self, children: Sequence[_Tag | str]) -> list[Node]:
        made: list[Any] = []
        for child in children:
            for node in self.text(child) if isinstance(child, str) else self.inline(child):
                if isinstance(node, str) and made and isinstance(made[-1], str):
                    made[-1] = _SPACE.sub(" ", made[-1] + node)
                elif isinstance(node, str) and made and made[-1] == ["break"]:
                    made.append(node.lstrip(" "))
                else:
                    made.append(node)
        if made and isinstance(made[0], str):
            made[0] = made[0].lstrip(" ")
        if made and isinstance(made[-1], str):
            made[-1] = made[-1].rstrip(" ")
        return [node for node in made if node != ""]

    def text(self, text: str) -> Iterator[Any]:
        for place, part in enumerate(_TOKEN.split(text)):
            if place % 2:
                node = self.kept[int(part)]
                if node[2]:
                    self.refuse("the formula between $$ must stand in a paragraph of its own, not in a line")
                yield node
            elif part:
                yield _SPACE.sub(" ", part)

    def inline(self, tag: _Tag) -> Iterator[Any]:
        if tag.name in ("em", "strong"):
            self.plain(tag)
            yield [tag.name, self.spaced(tag)]
        elif tag.name == "code":
            self.plain(tag)
            if _TOKEN.search(tag.text()):
                self.refuse("the code must stand in one line when it holds dollars, not in several")
            yield ["code", tag.text()]
        elif tag.name == "br":
            yield ["break"]
        elif tag.name == "a":
            yield from self.anchor(tag)
        elif tag.name == "sup" and (tag.attributes.get("id") or "").startswith("fnref"):
            yield from self.note(tag)
        elif tag.name == "img":
            src = tag.attributes.get("src") or ""
            self.refuse(
                f"the picture must stand in a paragraph of its own, not in a line, '{shortened(src)}'"
            )
        else:
            self.refuse(f"the text must be Markdown such as *word*, not HTML such as '<{tag.name}>'")

    def spaced(self, tag: _Tag) -> list[Node]:
        """What is within, with a space at its ends kept."""
        nodes: list[Any] = []
        for child in tag.children:
            nodes += self.text(child) if isinstance(child, str) else self.inline(child)
        return nodes

    def anchor(self, tag: _Tag) -> Iterator[Any]:
        self.plain(tag, "href")
        target = tag.attributes.get("href") or ""
        within = self.spaced(tag)
        if not "".join(_texts(within)).strip():
            self.refuse(f"the link must have words such as [the list]({target}), not an empty one")
        if target.startswith("#"):
            self.targets.append(target[1:])
            yield ["inner", target[1:], within]
        else:
            yield ["link", self.link(target), within]

    def note(self, tag: _Tag) -> Iterator[Any]:
        (anchor,) = _tags(tag, "a")
        name = (anchor.attributes.get("href") or "").removeprefix("#fn:")
        if name in self.noted:
            yield ["note-again", name]
        elif name in self.notes:
            self.noted.add(name)
            entry = self.notes[name]
            _without_backlinks(entry)
            yield ["note", name, self.blocks(entry)]


def _tags(parent: _Tag, name: str) -> list[_Tag]:
    """Tags of that name below, those within one of them left out."""
    found = []
    for child in parent.children:
        if isinstance(child, _Tag):
            found += [child] if child.name == name else _tags(child, name)
    return found


def _without_backlinks(parent: _Tag) -> None:
    """A footnote of a page links back to its place; one of print stands there."""
    parent.children = [
        child
        for child in parent.children
        if not (isinstance(child, _Tag) and child.attributes.get("class") == "footnote-backref")
    ]
    for child in parent.children:
        if isinstance(child, _Tag):
            _without_backlinks(child)
    if parent.children and isinstance(parent.children[-1], str):
        parent.children[-1] = parent.children[-1].rstrip("\xa0")


def _texts(nodes: Sequence[Any]) -> Iterator[str]:
    """Whatever is not nothing in pieces of a line."""
    for node in nodes:
        yield node if isinstance(node, str) else str(node)


def shortened(text: str) -> str:
    text = _SPACE.sub(" ", _TOKEN.sub("$…$", text)).strip()
    return text if len(text) <= 40 else text[:39] + "…"
