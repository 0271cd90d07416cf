"""Reading fields: text becomes values here, and every wrong one becomes a Problem with its line.

A `Fields` collects problems instead of raising, so that an author hears of all of them at once. It
must not know any kind of content: kinds ask it for a date, a choice or a list.
"""

from __future__ import annotations

import calendar
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import yaml

from bindery.source import Problem

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_DURATION = re.compile(r"(\d{1,4}) (hour|day|month|year)s?\Z")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z")


@dataclass(frozen=True, kw_only=True)
class Duration:
    """A whole number of hours, days, months or years, as staff write it: `12 months`."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    def after(self, day: date, *, rounding: str = "same day") -> date:
        """The day this long after `day`.

        A month's end that does not exist becomes the last day that does (31 January + 1 month is
        28 or 29 February); `rounding="month end"` moves the result to the end of its month.
        """
        if self.unit in ("month", "year"):
            months = day.year * 12 + day.month - 1 + self.count * (12 if self.unit == "year" else 1)
            year, month = divmod(months, 12)
            last = calendar.monthrange(year, month + 1)[1]
            result = date(year, month + 1, min(day.day, last))
        else:
            result = day + timedelta(days=self.count)
        if rounding == "month end":
            result = result.replace(day=calendar.monthrange(result.year, result.month)[1])
        return result


class Fields:
    """The fields of one mapping, read one by one; `finish()` tells of the ones nobody asked for."""

    def __init__(
        self, *, path: str, node: yaml.MappingNode | None, line: int, problems: list[Problem], name: str = ""
    ) -> None:
        self.path = path
        self.problems = problems
        self.first_line = line
        self._name = name
        self._asked: list[str] = []
        self._nodes: dict[str, yaml.Node] = {}
        self._lines: dict[str, int] = {}
        for key, value in node.value if node else ():
            at = line + key.start_mark.line
            if not isinstance(key, yaml.ScalarNode):
                self._tell(at, "a field's name must be a word such as title, not a list or a mapping")
                continue
            if key.value in self._nodes:
                self._tell(at, f"'{self._full(key.value)}' must be given once, it stands here again")
                continue
            self._nodes[key.value] = value
            self._lines[key.value] = at

    # Places and problems

    @property
    def lines(self) -> dict[str, int]:
        return dict(self._lines)

    def line(self, name: str) -> int:
        return self._lines.get(name, max(1, self.first_line - 1))

    def given(self, name: str) -> bool:
        return name in self._nodes

    def wrong(self, name: str, must_be: str, such_as: str, given: str) -> None:
        """Note the problem in the one form that all problems of fields have."""
        self._tell(self.line(name), f"'{self._full(name)}' must be {must_be} such as {such_as}, not {given}")

    def _tell(self, line: int, message: str) -> None:
        self.problems.append(Problem(path=self.path, line=line, message=message))

    def _full(self, name: str) -> str:
        return f"{self._name}.{name}" if self._name else name

    # Values

    def text(
        self,
        name: str,
        *,
        such_as: str,
        must_be: str = "text",
        required: bool = False,
        pattern: re.Pattern[str] | None = None,
    ) -> str:
        """The text of a field, stripped; "" when it is absent or wrong (then a problem is noted)."""
        self._asked.append(name)
        node = self._nodes.get(name)
        if node is None:
            if required:
                self.wrong(name, must_be, such_as, "left out")
            return ""
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(name, must_be, such_as, _shape(node))
            return ""
        value = " ".join(node.value.split()) if "\n" in node.value else node.value.strip()
        if not value:
            self.wrong(name, must_be, such_as, "empty (leave the line out when there is nothing to say)")
            return ""
        if pattern is not None and not pattern.fullmatch(value):
            self.wrong(name, must_be, such_as, f"'{value}'")
            return ""
        return value

    def choice(
        self,
        name: str,
        choices: Iterable[str],
        *,
        required: bool = False,
        default: str = "",
        such_as: str = "",
    ) -> str:
        """One of a few words."""
        words = tuple(choices)
        value = self.text(
            name,
            must_be="one of " + ", ".join(words),
            such_as=such_as or words[0],
            required=required,
        )
        if value and value not in words:
            near = difflib.get_close_matches(value, words, 1)
            self.wrong(
                name, "one of " + ", ".join(words), near[0] if near else such_as or words[0], f"'{value}'"
            )
            return default
        return value or default

    def flag(self, name: str) -> bool:
        """true or false; false when absent."""
        return self.choice(name, ("true", "false")) == "true"

    def date(self, name: str, *, required: bool = False, such_as: str = "2025-01-29") -> date | None:
        """A day of the calendar, written year-month-day."""
        value = self.text(name, must_be="a date", such_as=such_as, required=required)
        if not value:
            return None
        try:
            if not _DATE.match(value):
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            self.wrong(name, "a date", such_as, f"'{value}'")
            return None

    def instant(self, name: str, *, such_as: str = "2025-01-29T08:00:00-07:00") -> datetime | None:
        """A moment with its offset from UTC."""
        value = self.text(name, must_be="a moment with its offset", such_as=such_as)
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError
        except ValueError:
            self.wrong(name, "a moment with its offset", such_as, f"'{value}'")
            return None
        return moment

    def whole(self, name: str, *, such_as: str, required: bool = False) -> int | None:
        """A whole number, zero or more."""
        value = self.text(name, must_be="a whole number", such_as=such_as, required=required)
        if not value:
            return None
        if not (value.isascii() and value.isdigit() and len(value) < 19):
            self.wrong(name, "a whole number", such_as, f"'{value}'")
            return None
        return int(value)

    def duration(self, name: str, *, such_as: str, required: bool = False) -> Duration | None:
        """A length of time such as `12 months`."""
        value = self.text(name, must_be="a length of time", such_as=such_as, required=required)
        if not value:
            return None
        match = _DURATION.match(value)
        if not match:
            self.wrong(name, "a length of time", such_as, f"'{value}'")
            return None
        return Duration(count=int(match[1]), unit=match[2])

    def time_of_day(self, name: str, *, such_as: str, required: bool = False) -> str:
        """Hours and minutes of a day, `08:00` to `23:59`, as text."""
        return self.text(name, must_be="a time of day", such_as=such_as, required=required, pattern=_TIME)

    def texts(
        self,
        name: str,
        *,
        such_as: str,
        must_be: str = "a list of texts",
        required: bool = False,
        pattern: re.Pattern[str] | None = None,
    ) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        self._asked.append(name)
        node = self._nodes.get(name)
        if node is None:
            if required:
                self.wrong(name, must_be, such_as, "left out")
            return ()
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        values = []
        for part in parts:
            value = part.value.strip() if isinstance(part, yaml.ScalarNode) else ""
            if not value:
                self.wrong(name, must_be, such_as, _shape(part))
            elif pattern is not None and not pattern.fullmatch(value):
                self.wrong(name, must_be, such_as, f"'{value}'")
            elif value in values:
                self.wrong(name, must_be + " that each stand once", such_as, f"'{value}' twice")
            else:
                values.append(value)
        if required and not parts:
            self.wrong(name, must_be, such_as, "empty")
        return tuple(values)

    def mapping(self, name: str, *, such_as: str, required: bool = False) -> Fields | None:
        """The fields below a field."""
        self._asked.append(name)
        node = self._nodes.get(name)
        if node is None:
            if required:
                self.wrong(name, "fields", such_as, "left out")
            return None
        if not isinstance(node, yaml.MappingNode):
            self.wrong(name, "fields", such_as, _shape(node))
            return None
        return self._below(node, self._full(name))

    def mappings(self, name: str, *, such_as: str, required: bool = False) -> tuple[Fields, ...]:
        """A list, each of whose members has fields."""
        self._asked.append(name)
        node = self._nodes.get(name)
        if node is None:
            if required:
                self.wrong(name, "a list of fields", such_as, "left out")
            return ()
        if not isinstance(node, yaml.SequenceNode) or (required and not node.value):
            self.wrong(name, "a list of fields", such_as, _shape(node))
            return ()
        below = []
        for number, part in enumerate(node.value, 1):
            if isinstance(part, yaml.MappingNode):
                below.append(self._below(part, f"{self._full(name)}[{number}]"))
            else:
                self.wrong(name, "a list of fields", such_as, _shape(part))
        return tuple(below)

    def _below(self, node: yaml.MappingNode, name: str) -> Fields:
        return Fields(path=self.path, node=node, line=self.first_line, problems=self.problems, name=name)

    def finish(self, what: str) -> None:
        """Tell of every field that nobody asked for; `what` names the thing, such as `a release`."""
        known = sorted(set(self._asked))
        for name in self._nodes:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1, 0.5)
                self.wrong(
                    name,
                    f"a field of {what}",
                    f"'{near[0]}'" if near else ", ".join(f"'{word}'" for word in known),
                    "an unknown one",
                )


def _shape(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "fields below it"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return f"'{node.value}'" if node.value else "empty"
