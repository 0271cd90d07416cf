"""`python -m bench.newsletter`: what a mail to 100,000 subscribers costs the desk, in processes of their own.

The list is frozen in SQLite as staff do it; then mails are made and handed to a mailer that throws them away,
so that what is measured is ours. Memory must be flat: ten times the mails take no more of it.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import click

from chalicelib import wiring
from chalicelib.bulk_mail import BulkMail
from chalicelib.mailing_sender import MailingSender
from chalicelib.ports import Delivery, Mailing, Outcome
from chalicelib.subscriptions import imported

CATALOG = Path(__file__).resolve().parent.parent / "tests" / "desk" / "catalog.json"
SUBSCRIBERS = 100_000
FREEZE_AT_MOST = 10.0  # seconds
GROWTH_AT_MOST = 1.1  # times the memory, for ten times the mails
FEW, MANY = 1_000, 10_000
HEADERS = {
    "List-Id": "<newsletter.support.example.com>",
    "List-Unsubscribe": "<[[ leave_url ]]>, <mailto:[[ leave_address ]]>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}


@click.command()
@click.option("--subscribers", default=SUBSCRIBERS, show_default=True)
@click.option("--step", default="", hidden=True)
@click.option("--var", type=click.Path(path_type=Path), default=None, hidden=True)
@click.option("--mails", default=0, hidden=True)
def main(subscribers: int, step: str, var: Path | None, mails: int) -> None:
    """Measure the freezing of a list, and memory while its mails go out. Exit 1 when an aim is missed."""
    if step and var is not None:
        click.echo(json.dumps(STEPS[step](var, mails or subscribers)))
        return
    with tempfile.TemporaryDirectory(prefix="bench-newsletter-") as folder:

        def run(name: str, number: int) -> dict[str, float]:
            command = [sys.executable, "-m", "bench.newsletter", "--step", name, "--var", folder]
            done = subprocess.run(
                [*command, "--mails", str(number)], check=True, capture_output=True, text=True
            )
            said: dict[str, float] = json.loads(done.stdout)
            return said

        filled = run("fill", subscribers)
        frozen = run("freeze", subscribers)
        few, many = run("send", FEW), run("send", MANY)
    growth = many["memory"] / few["memory"]
    rows = (
        (f"{subscribers:,} subscribers imported", f"{filled['seconds']:.1f} s", ""),
        ("list frozen", f"{frozen['seconds']:.2f} s", f"at most {FREEZE_AT_MOST:.0f} s"),
        ("memory to freeze it", f"{frozen['memory'] / 1e6:.0f} MB", ""),
        (f"{MANY:,} mails made and noted", f"{MANY / many['seconds']:,.0f} a second", ""),
        (f"memory for {FEW:,} mails", f"{few['memory'] / 1e6:.0f} MB", ""),
        (f"memory for {MANY:,} mails", f"{many['memory'] / 1e6:.0f} MB", f"at most {GROWTH_AT_MOST} times"),
    )
    for what, figure, aim in rows:
        click.echo(f"{what:36} {figure:>16}   {aim}")
    if frozen["seconds"] > FREEZE_AT_MOST or growth > GROWTH_AT_MOST:
        raise click.ClickException("an aim is missed")


def _desk(var: Path) -> wiring.Desk:
    return wiring.desk({"SUPPORT_VAR": str(var), "SUPPORT_CATALOG": str(CATALOG)})


def _measured(began: float) -> dict[str, float]:
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def fill(var: Path, number: int) -> dict[str, float]:
    """Make so many subscribers, as an import does."""
    desk, began = _desk(var), time.perf_counter()
    told: dict[str, str] = {}
    decisions = {
        f"reader{one}@city{one % 997}.example.org": imported(
            ("newsletter",),
            "confirmed",
            None,
            fresh=desk.subscriptions.new(f"reader{one}@city{one % 997}.example.org", source="import"),
            told=told,
        )
        for one in range(number)
    }
    desk.store.import_subscribers(decisions, dry_run=False)
    return _measured(began)


def freeze(var: Path, number: int) -> dict[str, float]:
    """Freeze the list of all of them."""
    desk = _desk(var)
    mailing = Mailing(
        id="newsletter/a", topics=("newsletter",), subject="A", digest="", started=datetime.now(UTC)
    )
    began = time.perf_counter()
    made = desk.store.freeze_mailing(mailing)
    if made.counts["pending"] != number:
        raise SystemExit(f"{made.counts} is not {number} pending")
    return _measured(began)


class _Away:
    """A mailer that throws mails away, once they are bytes."""

    def deliver(self, message: EmailMessage, recipient: str) -> None:
        message.as_bytes()


def send(var: Path, number: int) -> dict[str, float]:
    """Hand over so many mails."""
    desk, sent = _desk(var), 0
    bulk = BulkMail(
        mailing="newsletter/a",
        subject="A",
        sender="news@example.com",
        sender_name="Example",
        headers=HEADERS,
        text="Words of an issue, as long as they are.\n" * 100 + "[[ leave_url ]]\n",
        html="<p>Words of an issue, as long as they are.</p>\n" * 500
        + "<a href='[[ leave_url ]]'>Leave</a>\n",
        host="support.example.com",
    )

    def compose(delivery: Delivery, started: datetime) -> EmailMessage:
        return bulk.to(
            delivery.email,
            message_id=bulk.message_id(delivery.subscriber),
            date=started,
            leave_url=desk.subscriptions.leave_url(delivery.subscriber),
            leave_address="news@example.com",
        )

    def count(delivery: Delivery, outcome: Outcome) -> None:
        nonlocal sent
        sent += 1

    sender = MailingSender(
        store=desk.store,
        subscribers=desk.store,
        mailer=_Away(),
        clock=desk.clock,
        stop=lambda: sent >= number,
    )
    began = time.perf_counter()
    sender.send("newsletter/a", compose, sender=uuid.uuid4().hex, alone=True, tell=count)
    return _measured(began)


STEPS: dict[str, Any] = {"fill": fill, "freeze": freeze, "send": send}

if __name__ == "__main__":
    main()
