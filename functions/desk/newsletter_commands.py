"""`desk newsletter`: look at an issue, try it, send it, and know what became of each mail."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import click

from chalicelib.drafts import is_email
from chalicelib.issues import Issue, IssueTrouble, issue, issues
from chalicelib.mailing_sender import in_batch
from chalicelib.ports import Mailing, MailTrouble
from chalicelib.ports.mailings import DELIVERY_STATES
from chalicelib.refusals import NotFound
from chalicelib.topics import NEWSLETTER, topics
from chalicelib.wiring import Desk
from desk import sending
from desk.tables import table
from desk.terminal import Wired, as_json_option, moment, print_json

mails_option = click.option(
    "--mails",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of mails; else the one beside the site that is served.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
per_second_option = click.option(
    "--per-second", type=click.FloatRange(0), default=0, help="At most so many mails; 0: as fast as they go."
)
TROUBLE_SHOWN = 50


@click.group()
def newsletter() -> None:
    """The newsletter: preview, test, send, and what became of it."""


@newsletter.command("list")
@mails_option
@as_json_option
@click.pass_obj
def newsletter_list(wiring: Wired, mails: Path | None, as_json: bool) -> None:
    """The issues that there are, and what was sent of them."""
    desk = wiring.desk()
    found = issues(mails or desk.mails, sender=desk.sender(), host=desk.host)
    facts: list[dict[str, Any]] = []
    for one in found:
        held = desk.store.mailing(one.mail.mailing)
        facts.append(
            {
                "issue": one.name,
                "date": one.date,
                "subject": one.mail.subject,
                "sample": one.sample,
                "begun": held.started.isoformat() if held else None,
                "counts": dict(held.counts) if held else None,
            }
        )
    if as_json:
        print_json(facts)
        return
    rows = [
        (
            fact["issue"],
            fact["date"],
            sending.in_words(fact["counts"]) if fact["counts"] else "-",
            fact["subject"],
        )
        for fact in facts
    ]
    click.echo(table(("issue", "date", "sent", "subject"), rows, "There is no issue."))


@newsletter.command("preview")
@click.argument("issue_name", metavar="ISSUE")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@mails_option
@click.pass_obj
def newsletter_preview(
    wiring: Wired, issue_name: str, file: Path | None, force: bool, mails: Path | None
) -> None:
    """Write the mail as an .eml FILE (default: ISSUE.eml), to be opened in a mail program. Its link to leave
    leads nowhere."""
    desk = wiring.desk()
    one = _issue(desk, mails, issue_name)
    target = file or Path(f"{one.name}.eml")
    data = _tried(desk, one, "reader@example.com").as_bytes()
    try:
        with target.open("wb" if force else "xb") as out:
            out.write(data)
    except FileExistsError:
        raise click.ClickException(f"{target} is there already; --force writes over it.") from None
    click.echo(f"{target}: {one.mail.subject}")


@newsletter.command("test")
@click.argument("issue_name", metavar="ISSUE")
@click.argument("address")
@mails_option
@click.pass_obj
def newsletter_test(wiring: Wired, issue_name: str, address: str, mails: Path | None) -> None:
    """Send the mail to one ADDRESS, marked as a test; nobody else gets it, nothing is counted."""
    desk = wiring.desk()
    if not is_email(address):
        raise click.ClickException(f"'{address}' is no e-mail address such as name@example.com.")
    one = _issue(desk, mails, issue_name)
    message = _tried(desk, one, address)
    message.replace_header("Subject", f"[Test] {one.mail.subject}")
    try:
        with in_batch(desk.mailer) as mailer:
            mailer.deliver(message, address)
    except MailTrouble as trouble:
        raise click.ClickException(f"It was not taken: {trouble}.") from None
    click.echo(f"Sent to {address}.")


@newsletter.command("send")
@click.argument("issue_name", metavar="ISSUE")
@click.option("--topic", default=NEWSLETTER, show_default=True, help="Whose subscribers get it.")
@yes_option
@per_second_option
@click.option("--wait", is_flag=True, help="Stay until what was refused for the moment is sent or given up.")
@click.option("--new-text", is_flag=True, help="Go on although the text was changed since it was begun.")
@mails_option
@click.pass_obj
def newsletter_send(
    wiring: Wired,
    issue_name: str,
    topic: str,
    yes: bool,
    per_second: float,
    wait: bool,
    new_text: bool,
    mails: Path | None,
) -> None:
    """Send ISSUE to all who get the topic now, each once; or go on with a send that was ended.

    The list is made once, at the beginning. Who leaves meanwhile gets nothing. Ctrl-C ends it after the mail
    in hand; run the same command to go on.
    """
    desk = wiring.desk()
    one = _issue(desk, mails, issue_name)
    held = desk.store.mailing(one.mail.mailing)
    if held is None:
        held = _begun(wiring, desk, one, topic, yes)
    elif held.topics != (topic,):
        raise click.ClickException(f"This issue was begun for {', '.join(held.topics)}, not for {topic}.")
    elif not held.frozen:
        held = desk.store.freeze_mailing(held)
    elif held.digest != one.mail.digest and not new_text and held.counts["pending"]:
        raise click.ClickException(
            "The text was changed since this issue was begun; --new-text sends the rest with the new one."
        )
    elif held.counts["pending"] and not yes:
        click.confirm(f"{sending.in_words(held.counts)} Go on with the rest?", abort=True)
    ended = sending.send(desk, one.mail, held, per_second=per_second)
    while wait and not ended.why and sending.rested(desk, held.id):
        again = desk.store.mailing(held.id) or held
        ended = sending.send(desk, one.mail, again, per_second=per_second)
    sending.told(desk, held.id, ended, f"desk newsletter send {one.name}")


@newsletter.command("status")
@click.argument("issue_name", metavar="ISSUE")
@mails_option
@as_json_option
@click.pass_obj
def newsletter_status(wiring: Wired, issue_name: str, mails: Path | None, as_json: bool) -> None:
    """What became of ISSUE: counts that add up, and who failed, or may have got it or not."""
    desk = wiring.desk()
    held = sending.settled(desk, _begun_before(desk, mails, issue_name))
    trouble, more = desk.store.deliveries(held.id, ["failed", "unknown", "sending"], limit=TROUBLE_SHOWN)
    waiting, _ = desk.store.deliveries(held.id, ["pending"], limit=TROUBLE_SHOWN)
    listed = [*trouble, *(one for one in waiting if one.trouble)]
    if as_json:
        print_json(
            {
                "issue": issue_name,
                "topics": list(held.topics),
                "subject": held.subject,
                "begun": held.started.isoformat(),
                "total": held.total,
                **held.counts,
                "done": held.counts["pending"] + held.counts["sending"] == 0,
                "trouble": [
                    {"email": one.email, "state": one.state, "why": one.trouble, "tries": one.attempts}
                    for one in listed
                ],
                "more_trouble": bool(more),
            }
        )
        return
    click.echo(f"{held.subject}, begun {moment(desk, held.started)} for {', '.join(held.topics)}.")
    rows = [(state, f"{held.counts[state]:,}") for state in DELIVERY_STATES if held.counts[state]]
    click.echo(table(("state", "number"), [*rows, ("in all", f"{held.total:,}")], ""))
    if listed:
        told = [(one.email or "(forgotten)", one.state, one.attempts, one.trouble) for one in listed]
        click.echo("")
        click.echo(table(("address", "state", "tries", "why"), told, ""))
    if more:
        click.echo("There are more than these.", err=True)


@newsletter.command("resend-unknown")
@click.argument("issue_name", metavar="ISSUE")
@yes_option
@per_second_option
@mails_option
@click.pass_obj
def newsletter_resend(
    wiring: Wired, issue_name: str, yes: bool, per_second: float, mails: Path | None
) -> None:
    """Send ISSUE once more to those who may have got it or not, under the same Message-ID.

    What is still pending goes out with it.
    """
    desk = wiring.desk()
    one = _issue(desk, mails, issue_name)
    held = sending.settled(desk, _begun_before(desk, mails, issue_name))
    unknown = held.counts["unknown"]
    if not unknown:
        click.echo("Of nobody it is unknown whether they got it.")
        return
    if not yes:
        click.confirm(f"{unknown} may get it a second time. Send?", abort=True)
    act = wiring.act(desk, "resend unknown", held.id, f"{unknown}")
    desk.store.resend_unknown(held.id, desk.clock(), act)
    fresh = desk.store.mailing(held.id) or held
    ended = sending.send(desk, one.mail, fresh, per_second=per_second)
    sending.told(desk, held.id, ended, f"desk newsletter send {one.name}")


def _issue(desk: Desk, mails: Path | None, name: str) -> Issue:
    return issue(mails or desk.mails, name, sender=desk.sender(), host=desk.host)


def _begun(wiring: Wired, desk: Desk, one: Issue, topic: str, yes: bool) -> Mailing:
    known = [each.name for each in topics(desk.catalog_or_none())]
    if topic not in known:
        raise click.ClickException(f"There is no topic '{topic}'; topics are {', '.join(known)}.")
    count = desk.store.recipients([topic])
    if not count:
        raise click.ClickException(f"Nobody gets {topic}: nothing was begun.")
    if not yes:
        sample = " It is marked as a sample." if one.sample else ""
        click.confirm(f"Send “{one.mail.subject}” to {count:,} who get {topic}?{sample}", abort=True)
    return begin(wiring, desk, one.mail.mailing, (topic,), one.mail.subject, one.mail.digest)


def begin(
    wiring: Wired, desk: Desk, mailing: str, chosen: tuple[str, ...], subject: str, digest: str
) -> Mailing:
    """Make the list of a mailing, and keep who did."""
    fresh = Mailing(id=mailing, topics=chosen, subject=subject, digest=digest, started=desk.clock())
    return desk.store.freeze_mailing(fresh, wiring.act(desk, "begin mailing", mailing, ", ".join(chosen)))


def _begun_before(desk: Desk, mails: Path | None, name: str) -> Mailing:
    """The mailing of an issue, which may be gone from the folder since."""
    try:
        mailing = _issue(desk, mails, name).mail.mailing
    except IssueTrouble:
        mailing = f"newsletter/{name}"
    held = desk.store.mailing(mailing)
    if held is None:
        raise NotFound(f"{name} was not begun to be sent.")
    return held


def _tried(desk: Desk, one: Issue, address: str) -> Any:
    """The mail to somebody who is no recipient."""
    return one.mail.to(
        address,
        message_id=f"<{uuid.uuid4().hex}@{desk.host}>",
        date=desk.clock(),
        leave_url=f"{desk.settings.url}/support/subscribe/",
        leave_address=desk.leave_address(),
    )
