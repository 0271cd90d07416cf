"""Subscribers as tables: CSV in, all or nothing with line numbers; CSV out that can go in again.

Text in, values out; the disk is somebody else's. Cells that a spreadsheet would take for a formula get an
apostrophe in front, which reading takes away again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches

from chalicelib.addresses import folded
from chalicelib.agreement_tables import TableProblem, TableTrouble, inert
from chalicelib.drafts import is_email, unfit
from chalicelib.ports.subscriptions import Subscriber
from chalicelib.topics import NEWSLETTER

COLUMNS = ("email", "topics", "state", "since", "source")
STATES = ("confirmed", "left")
"""What an import may say of somebody: an unconfirmed address is nobody's consent."""
_LIVE = "=+-@\t\r"


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriberRow:
    """A line of a table. `source`: where the consent comes from, in a few words."""

    email: str
    topics: tuple[str, ...]
    state: str
    since: datetime | None
    source: str


def read(text: str, *, path: str, topics: Sequence[str]) -> tuple[SubscriberRow, ...]:
    """The rows of a CSV text. `topics`: those that exist. Raises TableTrouble with every problem."""
    problems: list[TableProblem] = []
    found: list[SubscriberRow] = []
    lines: dict[str, int] = {}
    for line, cells in _rows(text, path, problems):
        wrong: list[str] = []
        row = _row(cells, topics, wrong)
        address = folded(row.email)
        if address in lines and address:
            wrong.append(f"'email' must be there once; {row.email} stands in line {lines[address]} too")
        lines.setdefault(address, line)
        problems.extend(TableProblem(path=path, line=line, message=message) for message in wrong)
        found.append(row)
    if problems:
        raise TableTrouble(problems)
    return tuple(found)


def header() -> str:
    """The first line of what is written."""
    return ",".join(COLUMNS) + "\n"


def written(subscribers: Iterable[Subscriber]) -> str:
    """Lines below the header; reading them gives the same people."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for one in subscribers:
        since = one.since.astimezone(UTC).isoformat(timespec="seconds") if one.since else ""
        cells = (one.email, "; ".join(one.topics), one.state, since, one.source)
        writer.writerow([inert(cell) for cell in cells])
    return out.getvalue()


def _rows(text: str, path: str, problems: list[TableProblem]) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        problems.extend(TableProblem(path=path, line=1, message=told) for told in _wrong_columns(names))
        if problems:
            return
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) == len(names):
                    yield line, dict(zip(names, map(_plain, cells), strict=True))
                else:
                    told = f"the line must have {len(names)} cells as the header has, not {len(cells)}"
                    problems.append(TableProblem(path=path, line=line, message=told))
            line = reader.line_num + 1
    except csv.Error as trouble:
        problems.append(TableProblem(path=path, line=reader.line_num, message=f"this is not CSV: {trouble}"))


def _wrong_columns(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if name not in COLUMNS:
            close = get_close_matches(name, COLUMNS, 1)
            hint = f"did you mean '{close[0]}'?" if close else f"the columns are {', '.join(COLUMNS)}"
            yield f"'{_shown(name)}' is no column of subscribers; {hint}"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"'{_shown(name)}' is there twice"
    if "email" not in names:
        yield "the column 'email' is missing"


def _row(cells: Mapping[str, str], topics: Sequence[str], wrong: list[str]) -> SubscriberRow:
    email = cells["email"]
    if not is_email(email):
        wrong.append(f"'email' must be an address such as name@example.com, not '{_shown(email)}'")
    chosen = tuple(filter(None, (part.strip() for part in cells.get("topics", "").split(";"))))
    for name in chosen:
        if name not in topics:
            close = get_close_matches(name, topics, 1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            told = f"'topics' must be of {', '.join(topics)}, not '{_shown(name)}'{hint}"
            wrong.append(told)
    state = cells.get("state", "") or "confirmed"
    if state not in STATES:
        wrong.append(f"'state' must be one of {', '.join(STATES)}, not '{_shown(state)}'")
    source = cells.get("source", "") or "import"
    if unfit(source, lines=False) or len(source) > 80:
        wrong.append(f"'source' must be at most 80 plain characters, not '{_shown(source)}'")
    return SubscriberRow(
        email=email,
        topics=tuple(dict.fromkeys(chosen)) or ((NEWSLETTER,) if state == "confirmed" else ()),
        state=state,
        since=_since(cells.get("since", ""), wrong),
        source=source,
    )


def _since(text: str, wrong: list[str]) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        if at.year < 1970:
            raise ValueError
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        wrong.append(f"'since' must be a day such as 2026-03-01, or empty, not '{_shown(text)}'")
        return None


def _plain(cell: str) -> str:
    text = cell.strip()
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in _LIVE + "'" else text


def _shown(found: str) -> str:
    """What was found, short and with nothing in it that a terminal would obey."""
    short = found if len(found) <= 80 else f"{found[:79]}…"
    return "".join(character if character.isprintable() else "?" for character in short)
