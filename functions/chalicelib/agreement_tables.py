"""Agreements as tables: CSV or JSON in, all or nothing with line numbers; CSV or JSON out that can go in
again.

Text in, values out; the disk is somebody else's. Cells that a spreadsheet would take for a formula get an
apostrophe in front, which reading takes away again.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from itertools import pairwise

from chalicelib.agreements import EARLIEST, LATEST, LICENCES, MOST_CONTACTS, STAGES, Agreement, Period
from chalicelib.drafts import is_email, unfit

COLUMNS = (
    *("agreement", "customer", "stage", "client_manager", "product", "licence", "seats", "starts"),
    *("paid", "contacts", "withdrawn"),
)
_LIVE = "=+-@\t\r"
"""What makes a spreadsheet take a cell for a formula."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class TableProblem:
    """One thing to mend; str() is "path:line: message"."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class TableTrouble(Exception):
    """The table cannot be taken; every problem at once."""

    def __init__(self, problems: Iterable[TableProblem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def read(text: str, *, path: str, products: Sequence[str]) -> tuple[Agreement, ...]:
    """The agreements of a CSV (or, when `path` ends in .json, JSON) text. `products`: the slugs that
    exist; empty when that is not known. Raises TableTrouble with every problem."""
    problems: list[TableProblem] = []
    read_rows = _json_rows if path.lower().endswith(".json") else _csv_rows
    rows = list(read_rows(text, path, problems))
    agreements: list[Agreement] = []
    lines: dict[str, int] = {}
    for line, row in rows:
        reader = _Row(row)
        agreement = reader.agreement(products)
        number = row.get("agreement", "")
        if number and number in lines:
            reader.wrong.append(
                f"'agreement' must be there once; {number} stands in line {lines[number]} too"
            )
        lines.setdefault(number, line)
        problems.extend(TableProblem(path=path, line=line, message=message) for message in reader.wrong)
        if agreement is not None:
            agreements.append(agreement)
    if problems:
        raise TableTrouble(problems)
    return tuple(agreements)


def write_csv(agreements: Iterable[Agreement]) -> str:
    """A CSV text with a header; reading it gives the same agreements."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for agreement in agreements:
        writer.writerow([inert(cell) for cell in cells(agreement).values()])
    return out.getvalue()


def write_json(agreements: Iterable[Agreement]) -> str:
    """A JSON list of objects with the same columns, every value text."""
    rows = [cells(agreement) for agreement in agreements]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def cells(agreement: Agreement) -> dict[str, str]:
    """An agreement as text, by column."""
    made = {name: str(getattr(agreement, name)) for name in COLUMNS}
    made["seats"] = "" if agreement.seats is None else str(agreement.seats)
    made["paid"] = "; ".join(map(str, agreement.paid))
    made["contacts"] = "; ".join(agreement.contacts)
    made["withdrawn"] = "" if agreement.withdrawn is None else str(agreement.withdrawn)
    return made


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    live = cell[:1] in _LIVE or (cell[:1] == "'" and cell[1:2] in _LIVE + "'" and cell[1:2] != "")
    return f"'{cell}" if cell and live else cell


def _plain(cell: str) -> str:
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in _LIVE + "'" else cell


def _trouble(path: str, line: int, message: str) -> TableTrouble:
    return TableTrouble([TableProblem(path=path, line=line, message=message)])


def _csv_rows(text: str, path: str, problems: list[TableProblem]) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        apart = next((mark for mark in (";", "\t", "|") if len(header) == 1 and mark in header[0]), "")
        if apart:
            raise _trouble(path, 1, f"the cells must be separated by commas, not by {apart!r}")
        if odd := _odd_columns(header):
            raise TableTrouble(TableProblem(path=path, line=1, message=message) for message in odd)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) == len(header):
                    yield line, dict(zip(header, [_plain(cell.strip()) for cell in cells], strict=True))
                else:
                    said = f"the line must have {len(header)} cells as the header has, not {len(cells)}"
                    problems.append(TableProblem(path=path, line=line, message=said))
            line = reader.line_num + 1
    except csv.Error as trouble:
        said = f"this is not CSV: {trouble}"
        problems.append(TableProblem(path=path, line=reader.line_num, message=said))


def _json_rows(text: str, path: str, problems: list[TableProblem]) -> Iterator[tuple[int, Mapping[str, str]]]:
    text = text.removeprefix("\ufeff")
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as trouble:
        raise _trouble(path, trouble.lineno, f"this is not JSON: {trouble.msg}") from None
    except RecursionError:
        raise _trouble(path, 1, "this is no list of agreements: it is nested too deeply") from None
    except ValueError:
        raise _trouble(path, 1, "this is no list of agreements: it holds a number that is too long") from None
    if not isinstance(whole, list):
        raise _trouble(path, 1, 'the file must be a list of agreements such as [{"agreement": …}, …]')
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs)
    at = text.index("[") + 1
    for _ in whole:
        at = re.compile(r"[\s,]*").match(text, at).end()  # type: ignore[union-attr]
        line = text.count("\n", 0, at) + 1
        row, at = decoder.raw_decode(text, at)
        wrong = _odd_object(row)
        problems.extend(TableProblem(path=path, line=line, message=message) for message in wrong)
        if not wrong and isinstance(row, _Pairs):
            yield line, {name: _json_cell(value) for name, value in row}


def _odd_object(row: object) -> list[str]:
    """Why this is no agreement's object."""
    if not isinstance(row, _Pairs):
        return ['an agreement must be an object such as {"agreement": …}']
    inner = [name for name, value in row if isinstance(value, _Pairs)]
    return _odd_columns([name for name, _ in row]) + [
        f"'{_shown(name)}' must be text or a list of texts, not an object" for name in inner
    ]


class _Pairs(list[tuple[str, object]]):
    """A JSON object as it was written: a name that is there twice is there twice."""


def _json_cell(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(str(part) for part in value)
    return "" if value is None else str(value).strip()


def _odd_columns(found: Sequence[str]) -> list[str]:
    problems = []
    for name in found:
        if name not in COLUMNS:
            close = get_close_matches(name, COLUMNS, 1)
            hint = f"; did you mean '{close[0]}'?" if close else f"; the columns are {', '.join(COLUMNS)}"
            problems.append(f"'{_shown(name)}' is no column of agreements{hint}")
    problems.extend(f"'{name}' is there twice" for name in sorted({n for n in found if found.count(n) > 1}))
    wanted = ("agreement", "customer", "stage", "product", "licence", "starts")
    problems.extend(f"the column '{name}' is missing" for name in wanted if name not in found)
    return problems


def _shown(found: str) -> str:
    """What was found, short and with nothing in it that a terminal would obey."""
    short = found if len(found) <= 80 else f"{found[:79]}…"
    return "".join(character if character.isprintable() else "?" for character in short)


class _Row:
    """Reads one row; `wrong` collects what must be mended."""

    def __init__(self, row: Mapping[str, str]) -> None:
        self._row = {name: row.get(name, "") for name in COLUMNS}
        self.wrong: list[str] = []
        for name, value in self._row.items():
            if unfit(value, lines=False) or len(value) > 2000:
                self._say(name, "plain text of one line, at most 2000 characters", value[:20])

    def agreement(self, products: Sequence[str]) -> Agreement | None:
        row = self._row
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", row["agreement"]):
            self._say("agreement", "letters, digits and dashes such as US-2026-014", row["agreement"])
        if not row["customer"]:
            self._say("customer", "a name such as City of Springfield", "")
        self._one_of("stage", STAGES)
        self._one_of("licence", LICENCES)
        if products:
            self._one_of("product", products)
        elif not row["product"]:
            self._say("product", "a product such as cityworks", "")
        if row["client_manager"] and not is_email(row["client_manager"]):
            self._say("client_manager", "an e-mail address such as name@example.com", row["client_manager"])
        if row["stage"] == "implementation" and not row["client_manager"]:
            self.wrong.append("'client_manager' must be given while the stage is implementation")
        starts = self._day("starts", row["starts"])
        withdrawn = self._day("withdrawn", row["withdrawn"]) if row["withdrawn"] else None
        seats, paid, contacts = self._seats(), self._paid(), self._contacts()
        if self.wrong or starts is None:
            return None
        return Agreement(
            agreement=row["agreement"],
            customer=row["customer"],
            stage=row["stage"],
            client_manager=row["client_manager"],
            product=row["product"],
            licence=row["licence"],
            seats=seats,
            starts=starts,
            paid=paid,
            contacts=contacts,
            withdrawn=withdrawn,
        )

    def _say(self, name: str, wanted: str, found: str) -> None:
        self.wrong.append(f"'{name}' must be {wanted}, not '{_shown(found)}'")

    def _one_of(self, name: str, values: Sequence[str]) -> None:
        if self._row[name] not in values:
            self._say(name, f"one of {', '.join(values)}", self._row[name])

    def _day(self, name: str, text: str) -> date | None:
        try:
            if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                day = date.fromisoformat(text)
                if EARLIEST <= day <= LATEST:
                    return day
                self._say(name, f"a day from {EARLIEST} to {LATEST}", text)
                return None
        except ValueError:
            pass
        self._say(name, "a day such as 2026-03-01", text)
        return None

    def _seats(self) -> int | None:
        text = self._row["seats"]
        if self._row["licence"] == "seat":
            if re.fullmatch(r"[1-9]\d{0,5}", text):
                return int(text)
            self._say("seats", "a number such as 25 for a seat licence", text)
        elif text:
            self._say("seats", "empty for a site licence", text)
        return None

    def _paid(self) -> tuple[Period, ...]:
        periods: list[Period] = []
        for part in filter(None, (part.strip() for part in self._row["paid"].split(";"))):
            first_text, dots, last_text = part.partition("..")
            if not dots:
                self._say("paid", "periods such as 2027-03-01..2028-02-29; …", part)
                continue
            first, last = self._day("paid", first_text.strip()), self._day("paid", last_text.strip())
            if first is None or last is None:
                continue
            if last < first:
                self._say("paid", "periods that end after they begin", part)
                continue
            periods.append(Period(first=first, last=last))
        periods.sort()
        for left, right in pairwise(periods):
            if right.first <= left.last:
                self.wrong.append(f"'paid' must be periods without overlaps, not '{left}' and '{right}'")
        return tuple(periods)

    def _contacts(self) -> tuple[str, ...]:
        contacts = tuple(filter(None, (part.strip() for part in self._row["contacts"].split(";"))))
        for contact in contacts:
            if not is_email(contact):
                self._say("contacts", "e-mail addresses such as name@example.com; …", contact)
        if len(contacts) > MOST_CONTACTS:
            self.wrong.append(f"'contacts' must be at most {MOST_CONTACTS} addresses, not {len(contacts)}")
        return contacts
