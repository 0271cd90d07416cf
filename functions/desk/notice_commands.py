"""`desk notices` and `desk bounces`: what is told by itself, and what came back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from chalicelib import bounces as returned
from chalicelib import notices as told
from chalicelib.bounces import COMPLAINT, HARD, Returned
from chalicelib.bulk_mail import BulkMail
from chalicelib.notices import Notice
from chalicelib.ports.subscriptions import DecideSuppression
from chalicelib.suppressing import complaint, hard_bounce, soft_bounce
from chalicelib.wiring import Desk
from desk import sending
from desk.newsletter_commands import begin, per_second_option, yes_option
from desk.tables import table
from desk.terminal import Wired, as_json_option, print_json, today


@click.group()
def notices() -> None:
    """Mails about new releases and ends of support, to those who asked for them."""


@notices.command("due")
@as_json_option
@click.pass_obj
def notices_due(wiring: Wired, as_json: bool) -> None:
    """What is to be told and was not, and to how many."""
    desk = wiring.desk()
    facts = [
        {
            "notice": one.id,
            "subject": one.subject,
            "topics": list(one.topics),
            "recipients": desk.store.recipients(one.topics),
        }
        for one in _due(desk)
    ]
    if as_json:
        print_json(facts)
        return
    rows = [(one["notice"], one["recipients"], one["subject"]) for one in facts]
    click.echo(table(("notice", "recipients", "subject"), rows, "There is nothing to tell."))
    if facts and not desk.store.notices():
        click.echo("The first desk notices send takes all of it for told, and sends none.", err=True)


@notices.command("send")
@yes_option
@per_second_option
@click.option("--dry-run", is_flag=True, help="Say what would be sent; send nothing.")
@click.option("--all", "everything", is_flag=True, help="The first time: send what is there already, too.")
@click.pass_obj
def notices_send(wiring: Wired, yes: bool, per_second: float, dry_run: bool, everything: bool) -> None:
    """Send what is due, each notice once to each subscriber of one of its topics.

    The first time, what is published already is taken for told. A send that was ended goes on with the same
    command.
    """
    desk = wiring.desk()
    found = _due(desk)
    if found and not everything and not desk.store.notices():
        covered = [mark for one in found for mark in one.covers]
        if not dry_run:
            act = wiring.act(desk, "begin notices", "notices", f"{len(found)} taken for told")
            desk.store.keep_notices(covered, desk.clock(), act)
        click.echo(
            f"The first time: {len(found)} that are there already are taken for told; nothing is sent."
            f"{' (dry run: nothing was changed)' if dry_run else ''}"
        )
        return
    if not found:
        click.echo("There is nothing to tell.")
        return
    for one in found:
        click.echo(f"{one.subject}: {desk.store.recipients(one.topics):,} recipients")
    if dry_run:
        click.echo("Dry run: nothing was sent.")
        return
    if not yes:
        click.confirm("Send?", abort=True)
    for one in found:
        _give(wiring, desk, one, per_second)


@click.command("bounces")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what is read; change nothing.")
@as_json_option
@click.pass_obj
def bounces(wiring: Wired, files: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """Read reports of mail that came back (.eml FILES, or - for standard input).

    A hard bounce or a complaint suppresses its address at once; a soft bounce does after three of them. The
    same report counts once.
    """
    desk = wiring.desk()
    facts: list[dict[str, Any]] = []
    for file in files:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        found = returned.read(data)
        for one in found:
            before = desk.store.is_suppressed(one.email)
            if not dry_run:
                act = wiring.act(desk, "read bounce", one.email, one.kind)
                desk.store.change_suppression(one.email, _decision(desk, one), act)
            facts.append(
                {
                    "file": str(file),
                    "email": one.email,
                    "kind": one.kind,
                    "detail": one.detail,
                    "suppressed": desk.store.is_suppressed(one.email),
                    "new": desk.store.is_suppressed(one.email) and not before,
                }
            )
        if not found:
            click.echo(f"{file} tells of no mail that came back.", err=True)
    if as_json:
        print_json(facts)
        return
    rows = [
        (one["email"], one["kind"], "suppressed" if one["suppressed"] else "counted", one["detail"])
        for one in facts
    ]
    click.echo(table(("address", "what", "now", "why"), rows, "Nothing came back."))


def _decision(desk: Desk, one: Returned) -> DecideSuppression:
    now = desk.clock()
    if one.kind == HARD:
        return hard_bounce(one.email, one.detail, now)
    if one.kind == COMPLAINT:
        return complaint(one.email, one.detail, now)
    return soft_bounce(one.email, one.mark, one.detail, now)


def _due(desk: Desk) -> tuple[Notice, ...]:
    return told.due(desk.catalog(), desk.store.notices(), today(desk))


def _give(wiring: Wired, desk: Desk, one: Notice, per_second: float) -> None:
    """Send one notice, and keep that it was given once its whole list was gone through."""
    bulk = _mail(desk, one)
    held = desk.store.mailing(bulk.mailing)
    if held is None or not held.frozen:
        if held is None and not desk.store.recipients(one.topics):
            desk.store.keep_notices(one.covers, desk.clock())
            click.echo(f"{one.subject}: nobody gets it.")
            return
        held = begin(wiring, desk, bulk.mailing, one.topics, bulk.subject, bulk.digest)
    ended = sending.send(desk, bulk, held, per_second=per_second)
    after = desk.store.mailing(bulk.mailing) or held
    if not ended.why and not after.counts["pending"]:
        desk.store.keep_notices(one.covers, desk.clock())
    click.echo(f"{one.subject}:")
    sending.told(desk, bulk.mailing, ended, "desk notices send")


def _mail(desk: Desk, one: Notice) -> BulkMail:
    return told.mail(one, desk.catalog(), site=desk.settings.url, sender=desk.sender(), host=desk.host)
