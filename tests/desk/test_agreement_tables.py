"""Agreements in and out: all or nothing, every problem with its line, no live formula."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.agreement_tables import COLUMNS, TableTrouble, read, write_csv, write_json
from chalicelib.agreements import Agreement, Period

HEADER = ",".join(COLUMNS)
GOOD = (
    'US-1,"City of Example",accepted,,cityworks,site,,2026-03-01,'
    "2027-03-01..2028-02-29,a@example.org; b@example.org,"
)


def problems(text: str, path: str = "agreements.csv") -> list[str]:
    with pytest.raises(TableTrouble) as refused:
        read(text, path=path, products=("cityworks",))
    return str(refused.value).splitlines()


def test_a_row_becomes_an_agreement() -> None:
    (one,) = read(f"\ufeff{HEADER}\r\n{GOOD}\r\n", path="a.csv", products=("cityworks",))
    assert one == Agreement(
        agreement="US-1",
        customer="City of Example",
        stage="accepted",
        client_manager="",
        product="cityworks",
        licence="site",
        seats=None,
        starts=date(2026, 3, 1),
        paid=(Period(first=date(2027, 3, 1), last=date(2028, 2, 29)),),
        contacts=("a@example.org", "b@example.org"),
    )


def test_ten_mistakes_are_ten_messages_with_their_lines() -> None:
    rows = [
        HEADER,
        GOOD,
        "US-1,City,accepted,,cityworks,site,,2026-03-01,,,",
        ",City,accepted,,cityworks,site,,2026-03-01,,,",
        "US-3,,done,,citywork,site,,2026-3-1,,,",
        '"US-4","City",implementation,,cityworks,seat,,2026-02-29,,,',
        "US-5,City,accepted,boss,cityworks,site,5,2026-03-01,2027..2028,ann,soon",
        "US-6,City,accepted,,cityworks,site,,2026-03-01,2027-03-01..2028-02-29;2028-02-29..2028-03-01,,",
    ]
    assert problems("\n".join(rows)) == [
        "agreements.csv:3: 'agreement' must be there once; US-1 stands in line 2 too",
        "agreements.csv:4: 'agreement' must be letters, digits and dashes such as US-2026-014, not ''",
        "agreements.csv:5: 'customer' must be a name such as City of Springfield, not ''",
        "agreements.csv:5: 'product' must be one of cityworks, not 'citywork'",
        "agreements.csv:5: 'stage' must be one of implementation, accepted, not 'done'",
        "agreements.csv:5: 'starts' must be a day such as 2026-03-01, not '2026-3-1'",
        "agreements.csv:6: 'client_manager' must be given while the stage is implementation",
        "agreements.csv:6: 'seats' must be a number such as 25 for a seat licence, not ''",
        "agreements.csv:6: 'starts' must be a day such as 2026-03-01, not '2026-02-29'",
        "agreements.csv:7: 'client_manager' must be an e-mail address such as name@example.com, not 'boss'",
        "agreements.csv:7: 'contacts' must be e-mail addresses such as name@example.com; …, not 'ann'",
        "agreements.csv:7: 'paid' must be a day such as 2026-03-01, not '2027'",
        "agreements.csv:7: 'paid' must be a day such as 2026-03-01, not '2028'",
        "agreements.csv:7: 'seats' must be empty for a site licence, not '5'",
        "agreements.csv:7: 'withdrawn' must be a day such as 2026-03-01, not 'soon'",
        "agreements.csv:8: 'paid' must be periods without overlaps, not '2027-03-01..2028-02-29' and "
        "'2028-02-29..2028-03-01'",
    ]


def test_columns_are_checked_with_a_suggestion() -> None:
    assert problems("agreement,customer,stage,product,license,starts\n") == [
        "agreements.csv:1: 'license' is no column of agreements; did you mean 'licence'?",
        "agreements.csv:1: the column 'licence' is missing",
    ]


def test_lines_of_another_length_are_told_with_every_other_mistake() -> None:
    rows = [HEADER, "US-1,City", GOOD.replace("accepted", "done"), f"{GOOD},more"]
    assert problems("\n".join(rows)) == [
        "agreements.csv:2: the line must have 11 cells as the header has, not 2",
        "agreements.csv:3: 'stage' must be one of implementation, accepted, not 'done'",
        "agreements.csv:4: the line must have 11 cells as the header has, not 12",
    ]


def test_every_odd_object_of_a_json_file_is_told() -> None:
    good = {"agreement": "A", "customer": "City", "stage": "accepted", "product": "cityworks"}
    good |= {"licence": "site", "starts": "2026-03-01"}
    text = ",\n".join(
        json.dumps(one)
        for one in (7, {**good, "nme": "x"}, {**good, "customer": {}}, {**good, "stage": "no"})
    )
    assert problems(f"[{text}]", "a.json") == [
        'a.json:1: an agreement must be an object such as {"agreement": …}',
        "a.json:2: 'nme' is no column of agreements; the columns are agreement, customer, stage, "
        "client_manager, product, licence, seats, starts, paid, contacts, withdrawn",
        "a.json:3: 'customer' must be text or a list of texts, not an object",
        "a.json:4: 'stage' must be one of implementation, accepted, not 'no'",
    ]


def test_an_agreement_has_at_most_fifty_contacts() -> None:
    many = "; ".join(f"c{number}@example.org" for number in range(51))
    assert problems(f"{HEADER}\n{GOOD.replace('a@example.org; b@example.org', many)}\n") == [
        "agreements.csv:2: 'contacts' must be at most 50 addresses, not 51"
    ]


@pytest.mark.parametrize(("mark", "shown"), [(";", "';'"), ("\t", "'\\t'")])
def test_a_file_with_other_separators_is_told_in_one_line(mark: str, shown: str) -> None:
    assert problems(f"{HEADER}\n{GOOD}\n".replace(",", mark)) == [
        f"agreements.csv:1: the cells must be separated by commas, not by {shown}"
    ]


def test_a_short_line_and_a_broken_file_are_told() -> None:
    assert problems(f"{HEADER}\nUS-1,City\n") == [
        "agreements.csv:2: the line must have 11 cells as the header has, not 2"
    ]
    assert problems("[\n{]", "a.json") == [
        "a.json:2: this is not JSON: Expecting property name enclosed in double quotes"
    ]
    assert problems("{}", "a.json") == [
        'a.json:1: the file must be a list of agreements such as [{"agreement": …}, …]'
    ]


def test_json_problems_have_the_line_of_their_agreement() -> None:
    good = {"agreement": "A", "customer": "City", "stage": "accepted", "product": "cityworks"}
    good |= {"licence": "site", "starts": "2026-03-01"}
    text = json.dumps([good, {**good, "agreement": "B", "starts": "x"}], indent=1)
    line = text[: text.index('"B"')].count("\n")
    assert problems(text, "a.json") == [
        f"a.json:{line}: 'starts' must be a day such as 2026-03-01, not 'x'",
    ]


TEXTS = st.text(
    st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1, max_size=30
).map(lambda text: text.strip() or "x") | st.sampled_from(
    [
        "=1+1",
        "'=1",
        "''",
        "'",
        "-x",
        "@y",
        "+1",
        "'s-Hertogenbosch",
        '"',
        '"a", b; c',
        "a;b",
        "Montréal 😀",
        '="',
    ]
)
DAYS = st.dates(date(2000, 1, 1), date(2050, 1, 1))
AGREEMENTS = st.builds(
    lambda number, customer, manager, site, seats, starts, gap, contacts, withdrawn: Agreement(
        agreement=f"US-{number}",
        customer=customer,
        stage="implementation" if manager else "accepted",
        client_manager=manager,
        product="cityworks",
        licence="site" if site else "seat",
        seats=None if site else seats,
        starts=starts,
        paid=tuple(
            Period(first=starts + timedelta(days=400 * i), last=starts + timedelta(days=400 * i + gap))
            for i in range(gap % 4)
        ),
        contacts=tuple(f"{name}@example.org" for name in contacts),
        withdrawn=withdrawn,
    ),
    st.integers(1, 10**6),
    TEXTS,
    st.sampled_from(["", "cm@example.org", "=cm@example.org", "-c.m@example.org"]),
    st.booleans(),
    st.integers(1, 999),
    DAYS,
    st.integers(0, 399),
    st.lists(st.sampled_from(["+a", "=b", "-c", "d"]), max_size=3, unique=True),
    st.none() | DAYS,
)


@given(st.lists(AGREEMENTS, max_size=5, unique_by=lambda one: one.agreement))
def test_law_what_was_exported_imports_as_it_was(held: list[Agreement]) -> None:
    assert read(write_csv(held), path="a.csv", products=("cityworks",)) == tuple(held)
    assert read(write_json(held), path="a.json", products=("cityworks",)) == tuple(held)


@given(st.lists(AGREEMENTS, max_size=5))
def test_law_no_cell_is_a_live_formula(held: list[Agreement]) -> None:
    for row in csv.reader(io.StringIO(write_csv(held))):
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "this is no list of agreements: it is nested too deeply"),
        (
            f'[{{"agreement": {"9" * 5000}}}]',
            "this is no list of agreements: it holds a number that is too long",
        ),
        ('\ufeff[{"agreement": "A", "agreement": "B"}]', "'agreement' is there twice"),
    ],
)
def test_odd_json_is_named(text: str, message: str) -> None:
    assert f"a.json:1: {message}" in problems(text, "a.json")


def test_an_object_is_no_cell() -> None:
    (row,) = json.loads(write_json(read(f"{HEADER}\n{GOOD}\n", path="a.csv", products=())))
    assert problems(json.dumps([{**row, "customer": {"name": "City"}}]), "a.json") == [
        "a.json:1: 'customer' must be text or a list of texts, not an object"
    ]


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "2200-01-01", "9999-12-31"])
def test_a_day_is_one_that_can_be_reckoned_from(day: str) -> None:
    (told,) = problems(f"{HEADER}\n{GOOD.replace('2026-03-01', day)}\n")
    assert told == f"agreements.csv:2: 'starts' must be a day from 1970-01-01 to 2199-12-31, not '{day}'"


def test_a_message_holds_nothing_that_a_terminal_obeys() -> None:
    told = problems(f"{HEADER}\n{GOOD.replace('cityworks', chr(27) + ']0;x' + chr(7) + 'y' * 200)}\n")
    told += problems(f"{HEADER},{chr(27)}[2J\n")
    assert all(line.isprintable() and len(line) < 200 for line in told)
