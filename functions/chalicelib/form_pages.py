"""Gives a published form page back with what was typed, and with what is wrong beside each field.

The page that the site publishes stays the only source of the form: this module finds places in its text with
the standard library's HTML parser and edits those, so every other byte stays as published. It knows the
markup that forms agree on and no form:

- `<div class="field" data-field="NAME">` or `<fieldset data-field="NAME">` around each field;
- a control with `name="NAME"`, and an empty `<p class="field-error" id="NAME-error" hidden></p>`;
- an empty `<div class="error-summary" id="error-summary" hidden></div>` at the form's top.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

from chalicelib.refusals import FieldProblem

SUMMARY_ID = "error-summary"
TITLE_PREFIX = "Error: "
_UNKEPT_TYPES = frozenset({"password", "file", "submit", "button", "reset", "image"})
# What no HTML document may hold as a character: a reader would stumble, and none of it can be seen.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")

Attributes = list[tuple[str, str | None]]


def fill(
    page: str,
    *,
    values: Mapping[str, str | list[str]],
    problems: Sequence[FieldProblem] = (),
    summary: str = "",
    dropped: frozenset[str] = frozenset(),
) -> str:
    """The page with `values` in its controls, `problems` beside their fields and `summary` on top.

    `values` maps field names to what was typed (several texts for boxes of one name), kept exactly as far as
    HTML can say it; hidden controls that the page itself filled keep their own. `summary` is HTML,
    made by the caller (`link_targets` says where its links go); it is put in place and takes the focus.
    Fields named in `dropped` come back empty. A page without the agreed markup comes back with fewer places
    filled, never broken.
    """
    reader = _Places(page)
    reader.feed(page)
    reader.close()
    kept = {name: value for name, value in values.items() if name not in dropped}
    messages = {problem.field: problem.message for problem in reversed(problems)}
    edits = _Edits()
    for control in reader.controls:
        _fill_control(control, kept, messages, edits)
    for group in reader.groups:
        if group.name in messages:
            edits.put(group.tag, _with_error(group.tag, group.name))
    for slot in reader.slots:
        _fill_slot(slot, messages, summary, edits)
    if (messages or summary) and reader.title is not None:
        edits.add(reader.title, reader.title, TITLE_PREFIX)
    if summary:
        for tag in reader.autofocused:
            edits.put(tag, tag.without("autofocus"))
    return edits.applied_to(page)


def link_targets(page: str) -> dict[str, str]:
    """For each field name of the page, the id of its first control: where a link of the summary puts the
    caret."""
    reader = _Places(page)
    reader.feed(page)
    reader.close()
    targets: dict[str, str] = {}
    for control in reader.controls:
        identifier = control.tag.get("id")
        if identifier and control.name not in targets and control.tag.get("type") != "hidden":
            targets[control.name] = identifier
    return targets


@dataclass(frozen=True, kw_only=True)
class _Tag:
    """A start tag: where it stands in the page, and what it says."""

    start: int
    end: int
    name: str
    attributes: tuple[tuple[str, str | None], ...]
    closed: bool = False

    def get(self, name: str) -> str:
        return next((value or "" for key, value in self.attributes if key == name), "")

    def has(self, name: str) -> bool:
        return any(key == name for key, _ in self.attributes)

    def without(self, *names: str) -> _Tag:
        left = tuple(pair for pair in self.attributes if pair[0] not in names)
        return self._with(left)

    def having(self, name: str, value: str | None) -> _Tag:
        if self.has(name):
            return self._with(tuple((key, value if key == name else old) for key, old in self.attributes))
        return self._with((*self.attributes, (name, value)))

    def _with(self, attributes: tuple[tuple[str, str | None], ...]) -> _Tag:
        return _Tag(start=self.start, end=self.end, name=self.name, attributes=attributes, closed=self.closed)

    def text(self) -> str:
        said = "".join(
            f" {name}" if value is None else f' {name}="{inert(value)}"' for name, value in self.attributes
        )
        return f"<{self.name}{said}{' /' if self.closed else ''}>"


@dataclass(kw_only=True)
class _Option:
    tag: _Tag
    text: str = ""

    def value(self) -> str:
        return self.tag.get("value") if self.tag.has("value") else " ".join(self.text.split())


@dataclass(kw_only=True)
class _Control:
    """An input, textarea or select; `inside` are the options of a select, `close` ends a textarea's text."""

    tag: _Tag
    name: str
    grouped: bool
    inside: list[_Option] = field(default_factory=list)
    close: int | None = None


@dataclass(kw_only=True)
class _Slot:
    """An element that waits for a message: a field's error or the summary."""

    tag: _Tag
    identifier: str
    close: int | None = None


@dataclass(kw_only=True)
class _Group:
    tag: _Tag
    name: str


class _Edits:
    """Replacements of stretches of a text, told in any order."""

    def __init__(self) -> None:
        self._edits: dict[tuple[int, int], str] = {}

    def add(self, start: int, end: int, text: str) -> None:
        self._edits[(start, end)] = text

    def put(self, old: _Tag, new: _Tag) -> None:
        self.add(old.start, old.end, new.text())

    def applied_to(self, page: str) -> str:
        parts: list[str] = []
        at = 0
        for (start, end), text in sorted(self._edits.items()):
            parts += (page[at:start], text)
            at = end
        return "".join((*parts, page[at:]))


class _Places(HTMLParser):
    """Finds the places of a page that forms agree on."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self._lines = [0]
        for line in page.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self.controls: list[_Control] = []
        self.slots: list[_Slot] = []
        self.groups: list[_Group] = []
        self.autofocused: list[_Tag] = []
        self.title: int | None = None
        self._in_form = 0
        self._select: _Control | None = None
        self._option: _Option | None = None
        self._textarea: _Control | None = None
        self._slot: _Slot | None = None
        self._fieldset: list[str] = []

    def _here(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def _tag(self, name: str, attributes: Attributes) -> _Tag:
        said = self.get_starttag_text() or ""
        start = self._here()
        first: dict[str, str | None] = {}
        for key, value in attributes:
            first.setdefault(key, value)
        return _Tag(
            start=start,
            end=start + len(said),
            name=name,
            attributes=tuple(first.items()),
            closed=said.endswith("/>"),
        )

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self.handle_starttag(tag, attrs)

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if self._textarea is not None:
            return
        found = self._tag(tag, attrs)
        if found.has("autofocus"):
            self.autofocused.append(found)
        if tag == "title" and self.title is None:
            self.title = found.end
        if found.get("class").split().count("field-error") or found.get("id") == SUMMARY_ID:
            self._slot = _Slot(tag=found, identifier=found.get("id"))
            self.slots.append(self._slot)
        if tag == "form":
            self._in_form += 1
        if not self._in_form:
            return
        if tag == "fieldset":
            self._fieldset.append(found.get("data-field"))
            if found.has("data-field"):
                self.groups.append(_Group(tag=found, name=found.get("data-field")))
        elif tag in ("input", "select", "textarea") and found.get("name"):
            name = found.get("name")
            control = _Control(tag=found, name=name, grouped=name in self._fieldset)
            self.controls.append(control)
            if tag == "select":
                self._select = control
            elif tag == "textarea":
                self._textarea = control
        elif tag == "option" and self._select is not None:
            self._option = _Option(tag=found)
            self._select.inside.append(self._option)

    def handle_data(self, data: str) -> None:
        if self._option is not None:
            self._option.text += data

    def handle_endtag(self, tag: str) -> None:
        if self._textarea is not None:
            if tag == "textarea":
                self._textarea.close = self._here()
                self._textarea = None
            return
        if self._slot is not None and tag == self._slot.tag.name:
            self._slot.close = self._here()
            self._slot = None
        if tag in ("option", "select"):
            self._option = None
        if tag == "select":
            self._select = None
        elif tag == "fieldset" and self._fieldset:
            self._fieldset.pop()
        elif tag == "form" and self._in_form:
            self._in_form -= 1


def inert(text: str) -> str:
    """`text` as the value of an attribute or the text of an element: every character back, nothing alive.

    Characters that HTML cannot hold become U+FFFD; carriage returns are written as references, because a
    parser would turn them into line feeds.
    """
    return escape(_UNFIT.sub("\ufffd", text), quote=True).replace("\r", "&#13;")


def _fill_control(
    control: _Control, values: Mapping[str, str | list[str]], messages: Mapping[str, str], edits: _Edits
) -> None:
    tag = control.tag
    kind = tag.get("type").lower() if tag.name == "input" else tag.name
    if kind == "hidden" and tag.get("value"):
        return  # the page's own word, and nobody typed it: which of its forms this is, where a file is to go
    new = tag
    given = values.get(control.name)
    # What is typed once cannot be several texts: such a request came from no page of ours.
    value = given if isinstance(given, str) else None
    if kind in ("radio", "checkbox"):
        new = new.without("checked")
        chosen = given if isinstance(given, list) else [given]
        if (tag.get("value") if tag.has("value") else "on") in chosen:
            new = new.having("checked", None)
    elif kind == "select":
        _select(control, value, edits)
    elif kind == "textarea":
        if control.close is not None:
            # The first line feed of a textarea is not part of its value.
            edits.add(tag.end, control.close, "\n" + inert(value or ""))
    elif kind not in _UNKEPT_TYPES:
        new = new.having("value", value) if value else new.without("value")
    if control.name in messages and not control.grouped and kind != "hidden":
        new = _with_error(new.having("aria-invalid", "true"), control.name)
    if new is not tag and new != tag:
        edits.put(tag, new)


def _select(control: _Control, value: str | None, edits: _Edits) -> None:
    wanted = next((option for option in control.inside if value and option.value() == value), None)
    if wanted is None and value:
        return
    for option in control.inside:
        new = option.tag.without("selected")
        if option is wanted:
            new = new.having("selected", None)
        if new != option.tag:
            edits.put(option.tag, new)


def _with_error(tag: _Tag, name: str) -> _Tag:
    described = [f"{name}-error", *(word for word in tag.get("aria-describedby").split())]
    return tag.having("aria-describedby", " ".join(dict.fromkeys(described)))


def _fill_slot(slot: _Slot, messages: Mapping[str, str], summary: str, edits: _Edits) -> None:
    if slot.close is None:
        return
    if slot.identifier == SUMMARY_ID:
        if summary:
            focused = slot.tag.without("hidden").having("tabindex", "-1").having("autofocus", None)
            named = focused.having("role", "group").having("aria-labelledby", f"{SUMMARY_ID}-title")
            edits.put(slot.tag, named)
            edits.add(slot.tag.end, slot.close, summary)
        return
    message = messages.get(slot.identifier.removesuffix("-error"))
    if message is not None:
        edits.put(slot.tag, slot.tag.without("hidden"))
        edits.add(slot.tag.end, slot.close, inert(message))
