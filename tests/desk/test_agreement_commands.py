"""`desk agreements`, as staff use it: files in and out, one agreement changed and explained."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chalicelib.agreement_changes import compare
from chalicelib.agreement_tables import write_csv
from chalicelib.agreements import Agreement
from chalicelib.refusals import NotFound
from desk.cli import main
from desk.terminal import Wired


@pytest.fixture
def run(world: Any) -> Callable[..., Result]:
    def invoke(*arguments: str) -> Result:
        wired = Wired({**world.environ, "DESK_USER": "Robin"}, lambda environ: world.started(**environ))
        return CliRunner().invoke(main, ("agreements", *arguments), obj=wired)

    return invoke


def numbered(world: Any, count: int, **changes: object) -> list[Agreement]:
    return [world.agreement(agreement=f"US-{number}", **changes) for number in range(1, count + 1)]


def written(folder: Path, agreements: list[Agreement]) -> str:
    path = folder / "agreements.csv"
    path.write_text(write_csv(agreements), encoding="utf-8")
    return str(path)


def test_a_dry_run_shows_every_change_field_by_field(run: Any, world: Any, tmp_path: Path) -> None:
    world.keep(*numbered(world, 3))
    first, second, _ = numbered(world, 3)
    later = replace(second, customer="Town", contacts=("ann@example.org", "bo@example.org"))
    file = written(tmp_path, [first, later, world.agreement(agreement="US-9")])
    assert run("import", "--dry-run", file).output.splitlines() == [
        "1 added, 1 changed, 1 unchanged, 1 not in this file (dry run: nothing was changed).",
        "  add US-9",
        "  change US-2",
        "    customer: 'City of Example' becomes 'Town'",
        "    contacts: 'ann@example.org' becomes 'ann@example.org; bo@example.org'",
        "  not in this file, stays as it is: US-3",
    ]
    assert world.desk.store.agreements() == tuple(numbered(world, 3))
    told = run("import", "--json", file)
    assert json.loads(told.stdout) == {
        "kept": True,
        "dry_run": False,
        "held": None,
        "added": ["US-9"],
        "changed": [
            {
                "agreement": "US-2",
                "fields": [
                    {"field": "customer", "before": "City of Example", "after": "Town"},
                    {
                        "field": "contacts",
                        "before": "ann@example.org",
                        "after": "ann@example.org; bo@example.org",
                    },
                ],
            }
        ],
        "unchanged": ["US-1"],
        "not_in_file": ["US-3"],
    }
    assert [one.agreement for one in world.desk.store.agreements()] == ["US-1", "US-2", "US-3", "US-9"]
    assert world.desk.store.agreement("US-3") == numbered(world, 3)[2]


@pytest.mark.parametrize(
    ("here", "there", "reason"),
    [
        (lambda w: numbered(w, 6), lambda w: numbered(w, 3), ""),
        (
            lambda w: numbered(w, 7),
            lambda w: numbered(w, 3),
            "it names 3 agreements, fewer than half of the 7 that are here",
        ),
        (
            lambda w: numbered(w, 7),
            lambda w: [],
            "it names 0 agreements, fewer than half of the 7 that are here",
        ),
        (lambda w: numbered(w, 7), lambda w: [*numbered(w, 3), w.agreement(agreement="new")], ""),
        (lambda w: numbered(w, 4), lambda w: numbered(w, 4, customer="Town"), ""),
        (
            lambda w: numbered(w, 5),
            lambda w: numbered(w, 5, customer="Town"),
            "it changes 5 agreements, more than half of the 5 that are here",
        ),
        (
            lambda w: numbered(w, 12),
            lambda w: [*numbered(w, 6, customer="Town"), *numbered(w, 12)[6:]],
            "",
        ),
        (lambda w: numbered(w, 2), lambda w: numbered(w, 2, withdrawn=w.now.date())[:1], ""),
        (
            lambda w: numbered(w, 3),
            lambda w: numbered(w, 2, withdrawn=w.now.date()),
            "it withdraws 2 agreements, more than half of the 3 that are here",
        ),
        (lambda w: [], lambda w: numbered(w, 1), ""),
    ],
)
def test_when_a_file_is_held(world: Any, here: Any, there: Any, reason: str) -> None:
    assert "; ".join(compare(here(world), there(world)).reasons_to_look) == reason


def test_a_file_that_shrinks_by_half_is_held_until_it_is_confirmed(
    run: Any, world: Any, tmp_path: Path
) -> None:
    world.keep(*numbered(world, 7))
    before = world.desk.store.agreements()
    file = written(tmp_path, numbered(world, 3, customer="Town"))
    held = run("import", file)
    assert held.exit_code == 3
    assert held.stderr == (
        "Held: it names 3 agreements, fewer than half of the 7 that are here. Nothing was changed. "
        "If that is meant, add --confirm.\n"
    )
    assert held.stdout.startswith(
        "0 added, 3 changed, 0 unchanged, 4 not in this file (held: nothing was changed).\n  change US-1\n"
    )
    assert run("import", "--dry-run", file).exit_code == 3
    said = run("import", "--json", file)
    assert (said.exit_code, json.loads(said.stdout)["kept"]) == (3, False)
    assert world.desk.store.agreements() == before
    assert world.desk.store.acts() == ((), "")
    done = run("import", "--confirm", file)
    assert (done.exit_code, done.output) == (
        0,
        "0 added, 3 changed, 0 unchanged, 4 not in this file.\n",
    )
    assert [one.customer for one in world.desk.store.agreements()] == ["Town"] * 3 + ["City of Example"] * 4


def test_promise_24_the_same_file_twice_changes_nothing_and_an_export_is_such_a_file(
    run: Any, world: Any, tmp_path: Path
) -> None:
    held = [
        world.agreement(agreement="A", customer='=HYPERLINK("x"), "Montréal" 😀'),
        world.agreement(
            agreement="B", customer="'s-Hertogenbosch", contacts=("+a@example.org", "b@example.org")
        ),
        world.agreement(agreement="C", licence="seat", seats=5, withdrawn=date(2027, 1, 1)),
    ]
    assert run("import", written(tmp_path, held)).exit_code == 0
    run("renew", "A")
    before = (world.desk.store.agreements(), world.desk.store.acts())
    for name in ("out.csv", "out.json"):
        out = str(tmp_path / name)
        assert run("export", out).exit_code == 0
        for _ in range(2):
            assert run("import", out).output == "0 added, 0 changed, 3 unchanged.\n"
    assert (world.desk.store.agreements(), world.desk.store.acts()) == before


def test_one_agreement_is_shown_with_its_rule_its_next_change_and_its_history(run: Any, world: Any) -> None:
    world.keep(world.agreement())
    run("renew", "US-1")
    world.pass_(minutes=5)
    run("contacts", "add", "US-1", "bo@example.org")
    shown = json.loads(run("show", "US-1", "--version", "24", "--json").output)
    assert shown | {"because": None, "contacts": None} == {
        "agreement": "US-1",
        "customer": "City of Example",
        "stage": "accepted",
        "client_manager": "",
        "product": "cityworks",
        "licence": "site",
        "seats": None,
        "starts": "2026-03-01",
        "paid": ["2027-03-01..2028-02-29"],
        "contacts": None,
        "withdrawn": None,
        "key": "yes",
        "state": "complimentary",
        "covered_from": "2026-03-01",
        "covered_until": "2028-02-29",
        "days_left": 463,
        "because": None,
        "next_change": {"on": "2027-03-01", "to": "current"},
        "newest_entitled": {"version": "24.1", "url": "/releases/cityworks/24.1/", "released": "2026-06-01"},
        "rule": "current agreement",
        "compared": {"today": "2026-11-23", "covered_from": "2026-03-01", "covered_until": "2028-02-29"},
        "would_change": "",
        "periods": [
            {"first": "2026-03-01", "last": "2027-02-28", "kind": "complimentary"},
            {"first": "2027-03-01", "last": "2028-02-29", "kind": "paid"},
        ],
        "reminders": [],
        "history": [
            {
                "when": "Monday, November 23, 2026, 10:05 a.m. MST",
                "who": "Robin",
                "what": "add contact",
                "detail": "bo@example.org",
            },
            {
                "when": "Monday, November 23, 2026, 10:00 a.m. MST",
                "who": "Robin",
                "what": "renew agreement",
                "detail": "2027-03-01..2028-02-29",
            },
        ],
        "decision": {
            "version": "24",
            "entitled": True,
            "rule": "current agreement",
            "compared": {"today": "2026-11-23", "covered_from": "2026-03-01", "covered_until": "2028-02-29"},
            "because": [
                "A current agreement gives every release of its product.",
                "Today, 2026-11-23, is covered: 2026-03-01 to 2028-02-29.",
            ],
            "would_change": "",
        },
    }


def test_a_lapsed_agreement_says_what_would_change_it(run: Any, world: Any) -> None:
    world.keep(world.agreement(starts=date(2023, 1, 1)))
    told = run("show", "US-1", "--version", "24").output
    assert told.endswith(
        "\n24: no, by the rule 'released outside cover'\n"
        "  because: A lapsed agreement gives what was released while it was covered (policy/support.md:5).\n"
        "  because: Today, 2026-11-23, is not covered: cover was 2023-01-01 to 2023-12-31.\n"
        "  because: 24 was released on 2026-02-28, in no covered period.\n"
        "  to change it: Renewing the agreement would give it: a current agreement gives every release "
        "of its product.\n"
    )
    assert re.search(r"^newest entitled +version 15\.8, url /releases/cityworks/15\.8/", told, re.M)
    assert re.search(r"^next change +-$", told, re.M)
    unknown = run("show", "US-1", "--version", "99")
    assert (unknown.exit_code, unknown.output) == (
        1,
        "Error: The catalog has no release 99 of cityworks: it is unknown, or held back.\n",
    )


def test_the_list_is_narrowed_by_state_product_customer_contact_and_end(run: Any, world: Any) -> None:
    world.keep(
        world.agreement(agreement="A"),
        world.agreement(agreement="B", starts=date(2023, 1, 1), customer="Sample Utility"),
        world.agreement(agreement="C", product="storeroom", contacts=("cy@example.org",)),
        world.agreement(agreement="D", withdrawn=date(2026, 11, 23), starts=date(2026, 6, 1)),
    )

    def found(*options: str) -> str:
        return "".join(one["agreement"] for one in json.loads(run("list", *options, "--json").output))

    assert found() == "ABCD"
    assert found("--state", "lapsed") == "B"
    assert found("--state", "withdrawn") == "D"
    assert found("--product", "storeroom") == "C"
    assert found("--customer", "sample u") == "B"
    assert found("--contact", "CY@example.org") == "C"
    assert found("--ends-before", "2027-03-01") == "ABC"
    assert found("--ends-before", "2027-02-28") == "B"
    assert found("--product", "cityworks", "--state", "complimentary") == "A"
    assert run("list", "--customer", "nobody").output == "No agreement fits.\n"


def test_a_customer_with_several_products_is_one_line(run: Any, world: Any) -> None:
    world.keep(
        world.agreement(agreement="A"),
        world.agreement(agreement="B", product="storeroom", starts=date(2026, 1, 1)),
        world.agreement(agreement="C", product="storeroom", starts=date(2023, 1, 1)),
        world.agreement(agreement="D", customer="Sample Utility", starts=date(2023, 1, 1)),
    )
    assert run("customers").output.splitlines() == [
        "customer         products              states                 next end    agreements",
        "City of Example  cityworks; storeroom  complimentary; lapsed  2026-12-31  A; B; C",
        "Sample Utility   cityworks             lapsed                 -           D",
    ]
    assert json.loads(run("customers", "--customer", "UTIL", "--json").output) == [
        {
            "customer": "Sample Utility",
            "products": ["cityworks"],
            "states": ["lapsed"],
            "next_end": None,
            "agreements": ["D"],
        }
    ]


def test_a_key_is_nowhere_in_what_the_desk_keeps(run: Any, world: Any, tmp_path: Path) -> None:
    """Promise 28: not in the store, its log or its list of acts; 30 characters of 27 are 142 bits."""
    world.desk.store.import_agreements([world.agreement()], dry_run=False)
    keys = [run("key", "US-1").stdout.strip()]
    keys.append(run("key", "US-1", "--rotate", "--keep-old-for", "7 days").stdout.strip())
    kept = b"".join(path.read_bytes() for path in (tmp_path / "var").rglob("*") if path.is_file())
    assert b"US-1" in kept
    for key in keys:
        assert re.fullmatch(r"([2-9B-DF-HJ-NP-TV-Z]{5}-){5}[2-9B-DF-HJ-NP-TV-Z]{5}", key)
        assert key.encode() not in kept
        assert key.replace("-", "").encode() not in kept


def test_a_renewal_after_a_lapse_says_from_when(run: Any, world: Any) -> None:
    world.keep(world.agreement(starts=date(2023, 1, 1)))
    refused = run("renew", "US-1")
    assert (refused.exit_code, refused.output) == (
        1,
        "Error: Nothing was changed: without a gap the next period would be 2024-01-01..2024-12-31, which is "
        "over; say from when: --from 2026-11-23.\n",
    )
    done = run("renew", "US-1", "--from", "2026-11-23")
    assert done.output == "US-1 is paid from 2026-11-23 to 2027-11-22, both days included.\n"
    assert json.loads(run("show", "US-1", "--json").output)["state"] == "current"
    backdated = run("renew", "US-1", "--from", "2024-01-01", "--until", "2024-12-31")
    assert backdated.output == "US-1 is paid from 2024-01-01 to 2024-12-31, both days included.\n"


def test_a_renewal_is_taken_back(run: Any, world: Any) -> None:
    world.keep(world.agreement())
    before = world.desk.store.agreements()
    for _ in range(2):
        run("renew", "US-1")
    wrong = run("unrenew", "US-1", "--period", "2027-03-01..2027-12-31")
    assert (wrong.exit_code, wrong.output) == (
        1,
        "Error: Nothing was changed: US-1 has no paid period 2027-03-01..2027-12-31; it has "
        "2027-03-01..2028-02-29; 2028-03-01..2029-02-28.\n",
    )
    assert run("unrenew", "US-1").output == "US-1 is no longer paid from 2028-03-01 to 2029-02-28.\n"
    assert run("unrenew", "US-1", "--period", "2027-03-01..2028-02-29").exit_code == 0
    assert world.desk.store.agreements() == before
    assert run("unrenew", "US-1").output == "Error: Nothing was changed: US-1 has no paid period.\n"
    assert run("unrenew", "US-1", "--period", "soon").exit_code == 2


def test_final_acceptance_and_back(run: Any, world: Any) -> None:
    world.keep(world.agreement(stage="implementation", client_manager="cm@example.com"))
    assert run("accept", "US-1").output == (
        "US-1 is accepted; its tickets go to Client Services from now on.\n"
    )
    assert world.desk.store.agreement("US-1").stage == "accepted"
    assert run("accept", "US-1").output == "Error: Nothing was changed: US-1 is accepted already.\n"
    assert run("accept", "US-1", "--undo").output == (
        "US-1 is in implementation; its tickets go to cm@example.com.\n"
    )
    assert world.desk.store.agreement("US-1").stage == "implementation"


def test_contacts_are_added_listed_and_removed(run: Any, world: Any) -> None:
    world.keep(world.agreement(), world.agreement(agreement="US-2"))
    assert run("contacts", "add", "US-2", "bo@example.org").output == "bo@example.org is a contact of US-2.\n"
    assert run("contacts", "add", "US-2", "Bo@example.org").output == (
        "Error: Nothing was changed: Bo@example.org is a contact of US-2 already.\n"
    )
    assert run("contacts", "add", "US-2", "bo").exit_code == 2
    assert json.loads(run("contacts", "list", "US-2", "--json").output) == [
        {"contact": "ann@example.org", "agreements": ["US-1", "US-2"]},
        {"contact": "bo@example.org", "agreements": ["US-2"]},
    ]
    gone = run("contacts", "remove", "US-2", "ANN@example.org")
    assert gone.output == "ANN@example.org is no contact of US-2 any more.\n"
    assert [one.agreement for one in world.desk.store.agreements_of("ann@example.org")] == ["US-1"]
    assert run("contacts", "remove", "US-2", "ann@example.org").exit_code == 1


def test_a_rotated_key_may_be_kept_for_some_days(run: Any, world: Any) -> None:
    world.desk.store.import_agreements([world.agreement()], dry_run=False)

    def opens(key: str) -> bool:
        try:
            return bool(world.desk.look_up("US-1", key))
        except NotFound:
            return False

    first = run("key", "US-1").stdout.strip()
    told = run("key", "US-1", "--rotate", "--keep-old-for", "7 days")
    second = told.stdout.strip()
    assert told.stderr.endswith("The old key opens until Monday, November 30, 2026, 10:00 a.m. MST.\n")
    assert (opens(first), opens(second)) == (True, True)
    world.now += timedelta(days=7)
    assert (opens(first), opens(second)) == (False, True)
    told = run("key", "US-1", "--rotate")
    assert told.stderr.endswith("The old key opens nothing from now on.\n")
    assert (opens(second), opens(told.stdout.strip())) == (False, True)
    for bad in ("31 days", "1 month", "soon", "0 days"):
        assert run("key", "US-1", "--rotate", "--keep-old-for", bad).exit_code == 2
    assert run("key", "US-1", "--keep-old-for", "7 days").exit_code == 2
    assert opens(told.stdout.strip())
    assert run("key", "US-1", "--revoke").output == "US-1 has no key: none that was given out opens it.\n"
    assert not opens(told.stdout.strip())
    acts, _ = world.desk.store.acts(about="US-1")
    assert not any(key in repr(acts) for key in (first, second, told.stdout.strip()))
