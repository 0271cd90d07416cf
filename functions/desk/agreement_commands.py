"""`desk agreements`: the list, and one agreement with what it covers, gives, and why."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

import click

from chalicelib.addresses import folded
from chalicelib.agreement_tables import COLUMNS
from chalicelib.agreements import Agreement, coverage, next_change
from chalicelib.catalog import Catalog, NoRule
from chalicelib.entitlement import Entitlement, entitlement
from chalicelib.standing import standing
from chalicelib.wiring import Desk
from desk.agreement_acts import (
    agreement_of,
    agreements_accept,
    agreements_key,
    agreements_renew,
    agreements_unrenew,
    agreements_withdraw,
    contacts,
)
from desk.agreement_files import agreements_export, agreements_import
from desk.tables import table
from desk.terminal import Wired, as_json_option, day_type, moment, plain, print_json, today

STATES = ("complimentary", "current", "grace", "lapsed", "not started", "withdrawn")
HISTORY = 20
"""So many acts are shown with an agreement; `desk audit list --about` has all of them."""


@click.group()
def agreements() -> None:
    """Update and Support agreements."""


for _command in (
    agreements_import,
    agreements_export,
    agreements_renew,
    agreements_unrenew,
    agreements_withdraw,
    agreements_accept,
    agreements_key,
    contacts,
):
    agreements.add_command(_command)


@agreements.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state today.")
@click.option("--product", default="", help="Only those for this product.")
@click.option("--customer", default="", help="Only those whose customer's name holds this text.")
@click.option("--contact", default="", help="Only those that have this address as a contact.")
@click.option("--ends-before", "before", type=day_type, help="Only those whose cover ends before this day.")
@as_json_option
@click.pass_obj
def agreements_list(
    wiring: Wired,
    state: str | None,
    product: str,
    customer: str,
    contact: str,
    before: datetime | None,
    as_json: bool,
) -> None:
    """Agreements with their state today: all of them, or those that fit every option."""
    desk = wiring.desk()
    held = desk.store.agreements_of(contact) if contact else desk.store.agreements()
    chosen = [
        facts
        for agreement in held
        if product in ("", agreement.product) and folded(customer) in folded(agreement.customer)
        for facts in [_facts(desk, agreement)]
        if state in (None, facts["state"])
        and (before is None or (facts["covered_until"] or "9999") < f"{before:%Y-%m-%d}")
    ]
    if as_json:
        print_json(chosen)
        return
    names = ("agreement", "customer", "product", "licence", "state", "covered_until", "key")
    rows = [[facts[name] for name in names] for facts in chosen]
    nothing = "There are no agreements. Add some: desk agreements import FILE"
    if state or product or customer or contact or before:
        nothing = "No agreement fits."
    click.echo(table(names, rows, nothing))


@agreements.command("customers")
@click.option("--customer", default="", help="Only those whose name holds this text.")
@as_json_option
@click.pass_obj
def agreements_customers(wiring: Wired, customer: str, as_json: bool) -> None:
    """Customers with all of their agreements: products, states today, and the first end to come."""
    desk = wiring.desk()
    found: dict[str, list[dict[str, Any]]] = {}
    for agreement in desk.store.agreements():
        if folded(customer) in folded(agreement.customer):
            found.setdefault(agreement.customer, []).append(_facts(desk, agreement))
    customers = [_customer_facts(name, held) for name, held in sorted(found.items())]
    if as_json:
        print_json(customers)
        return
    rows = [
        (
            one["customer"],
            plain(one["products"]),
            plain(one["states"]),
            one["next_end"] or "-",
            plain(numbers),
        )
        for one in customers
        for numbers in [one["agreements"]]
    ]
    header = ("customer", "products", "states", "next end", "agreements")
    click.echo(table(header, rows, "No customer fits." if customer else "There are no agreements."))


def _customer_facts(name: str, held: list[dict[str, Any]]) -> dict[str, Any]:
    living = [one["covered_until"] for one in held if one["state"] in ("complimentary", "current", "grace")]
    return {
        "customer": name,
        "products": sorted({one["product"] for one in held}),
        "states": sorted({one["state"] for one in held}),
        "next_end": min(living, default=None),
        "agreements": [one["agreement"] for one in held],
    }


@agreements.command("show")
@click.argument("agreement")
@click.option("--version", default="", help="Would the agreement give this release of its product?")
@as_json_option
@click.pass_obj
def agreements_show(wiring: Wired, agreement: str, version: str, as_json: bool) -> None:
    """One agreement: what it covers and gives today, by which rule, what would change it, its history."""
    desk = wiring.desk()
    held = agreement_of(desk, agreement)
    facts = _facts(desk, held) | _more_facts(desk, held)
    if version:
        facts["decision"] = {"version": version, **_decision(desk, held, version).as_json()}
    if as_json:
        print_json(facts)
        return
    apart = ("because", "compared", "rule", "would_change", "decision", "periods", "history", "reminders")
    rows = [(name.replace("_", " "), plain(value)) for name, value in facts.items() if name not in apart]
    click.echo(table(("field", "value"), rows, ""))
    for reason in facts["because"]:
        click.echo(f"  because: {reason}")
    if facts["would_change"]:
        click.echo(f"  to change it: {facts['would_change']}")
    for title, lines in (
        ("Periods", [f"{one['first']} to {one['last']}, {one['kind']}" for one in facts["periods"]]),
        ("Reminders", [_reminder_line(one) for one in facts["reminders"]]),
        ("History", [_act_line(one) for one in facts["history"]]),
    ):
        if lines:
            click.echo("\n".join([f"\n{title}", *(f"  {line}" for line in lines)]))
    if version:
        _tell_decision(version, facts["decision"])


def _tell_decision(version: str, decision: dict[str, Any]) -> None:
    click.echo(f"\n{version}: {'yes' if decision['entitled'] else 'no'}, by the rule '{decision['rule']}'")
    for reason in decision["because"]:
        click.echo(f"  because: {reason}")
    if decision["would_change"]:
        click.echo(f"  to change it: {decision['would_change']}")


def _reminder_line(one: dict[str, Any]) -> str:
    days = one["stage"]
    stage = "after" if days < 0 else f"{days} day{'' if days == 1 else 's'} before"
    return f"{one['when']}: {stage} the end on {one['ends']}"


def _act_line(one: dict[str, Any]) -> str:
    detail = f": {one['detail']}" if one["detail"] else ""
    return f"{one['when']} {one['who']}, {one['what']}{detail}"


def _decision(desk: Desk, agreement: Agreement, version: str) -> Entitlement:
    catalog = desk.catalog()
    release = catalog.release(agreement.product, version)
    if release is None:
        raise click.ClickException(
            f"The catalog has no release {version} of {agreement.product}: it is unknown, or held back."
        )
    return entitlement(agreement, catalog.rules, release, today(desk))


def _facts(desk: Desk, agreement: Agreement) -> dict[str, Any]:
    """What the list shows of an agreement, and why; a catalog that says nothing of it hides no other."""
    facts: dict[str, Any] = {name: getattr(agreement, name) for name in COLUMNS}
    facts |= {"starts": str(agreement.starts), "paid": [str(period) for period in agreement.paid]}
    facts |= {"withdrawn": str(agreement.withdrawn) if agreement.withdrawn else None}
    facts |= {"contacts": list(agreement.contacts)}
    facts |= {"key": "yes" if desk.store.key_hash(agreement.agreement) else "no"}
    unknown: dict[str, Any] = {"covered_from": None, "covered_until": None, "days_left": None, "because": []}
    catalog = desk.catalog_or_none()
    if catalog is None:
        return facts | {"state": "unknown without a catalog"} | unknown
    try:
        cover = coverage(agreement, catalog.rules, today(desk))
    except NoRule as trouble:
        return facts | {"state": "unknown without a rule"} | unknown | {"because": [trouble.detail]}
    return facts | {
        "state": cover.state,
        "covered_from": str(cover.covered_from),
        "covered_until": str(cover.covered_until),
        "days_left": cover.days_left,
        "because": list(cover.because),
    }


def _more_facts(desk: Desk, agreement: Agreement) -> dict[str, Any]:
    """What is shown of one agreement alone: the decision behind what it gives, and what happened to it."""
    number = agreement.agreement
    acts, _ = desk.store.acts(about=number, limit=HISTORY)
    facts: dict[str, Any] = {"next_change": None, "newest_entitled": None, "rule": None, "compared": {}}
    facts |= {"would_change": "", "periods": []}
    catalog = desk.catalog_or_none()
    if catalog is not None:
        with suppress(NoRule):  # the state says so
            facts |= _standing_facts(catalog, agreement, desk)
    facts["reminders"] = [
        {"ends": str(one.ends), "stage": one.stage, "when": moment(desk, one.when)}
        for one in desk.store.reminded(number)
    ]
    facts["history"] = [
        {"when": moment(desk, one.when), "who": one.who, "what": one.what, "detail": one.detail}
        for one in acts
    ]
    return facts


def _standing_facts(catalog: Catalog, agreement: Agreement, desk: Desk) -> dict[str, Any]:
    now = today(desk)
    answer = standing(agreement, catalog, now)
    said = answer.as_json()
    changes = next_change(agreement, catalog.rules, now)
    cover = coverage(agreement, catalog.rules, now)
    return {
        "because": said["because"],
        "next_change": {"on": str(changes[0]), "to": changes[1].state} if changes else None,
        "newest_entitled": said["newest_entitled"],
        "periods": [
            {
                "first": str(one.first),
                "last": str(one.last),
                "kind": "paid" if one in agreement.paid else "complimentary",
            }
            for one in cover.periods
        ],
        **{name: said[name] for name in ("rule", "compared", "would_change") if name in said},
    }
