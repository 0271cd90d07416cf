"""The outbox in DynamoDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from chalicelib.addresses import folded
from chalicelib.dynamodb_store.audit import DynamoAudit
from chalicelib.dynamodb_store.items import HEAD, Item, flat, instant, put, typed
from chalicelib.dynamodb_store.table import Overtaken, still, trouble
from chalicelib.ports.audit import Act
from chalicelib.ports.mails import MAIL_CAPS, Outgoing, QueuedMail

SENDING_TIME = timedelta(minutes=5)
"""After so long a mail that was being sent is thought to have lost its sender, and is sent again."""


class DynamoMails(DynamoAudit):
    """`MailStore` on DynamoDB."""

    def claim_mails(self, now: datetime, limit: int) -> tuple[QueuedMail, ...]:
        with trouble():
            due = sorted(
                (
                    item
                    for state in ("waiting", "sending")
                    for item in self._list(f"mails {state}")
                    if item["doc"]["next_try"] <= instant(now)
                ),
                key=lambda item: str(item["place"]),
            )
        claimed: list[QueuedMail] = []
        for item in due:
            if len(claimed) == limit:
                break
            queued = mail_of(item)
            taken = replace(
                queued, state="sending", attempts=queued.attempts + 1, next_try=now + SENDING_TIME
            )
            with trouble():
                try:
                    self._transact([self._mail_changed(item, taken)])
                except Overtaken:  # another sender has it
                    continue
            claimed.append(replace(queued, attempts=taken.attempts))
        return tuple(claimed)

    def mail_sent(self, mail_id: str, now: datetime) -> None:
        self._mail(mail_id, lambda queued: replace(queued, state="sent", trouble="", next_try=now))

    def mail_failed(self, mail_id: str, trouble: str, next_try: datetime | None) -> None:
        state = "waiting" if next_try else "failed"
        self._mail(
            mail_id,
            lambda queued: replace(
                queued, state=state, trouble=trouble, next_try=next_try or queued.next_try
            ),
        )

    def drop_mail(self, mail_id: str, reason: str) -> None:
        self._mail(mail_id, lambda queued: replace(queued, state="suppressed", trouble=reason))

    def mails(self, states: Sequence[str]) -> tuple[QueuedMail, ...]:
        with trouble():
            found = [item for state in dict.fromkeys(states) for item in self._list(f"mails {state}")]
        return tuple(mail_of(item) for item in sorted(found, key=lambda item: str(item["place"])))

    def retry_mails(self, now: datetime, mail_id: str = "", act: Act | None = None) -> int:
        states = ("failed", "waiting", "suppressed") if mail_id else ("failed", "waiting")
        chosen = [one.mail.id for one in self.mails(states) if mail_id in ("", one.mail.id)]
        done = 0

        def again(queued: QueuedMail) -> QueuedMail:
            nonlocal done
            if queued.state not in states:
                return queued
            done += 1
            return replace(queued, state="waiting", next_try=now, trouble="")

        for number, one in enumerate(chosen):
            self._mail(one, again, act if number == 0 else None)
        return done

    def oldest_unsent(self) -> datetime | None:
        with trouble():
            first = [
                mail_of(item).mail.created
                for state in ("waiting", "sending", "failed")
                for item in islice(self._list(f"mails {state}", most=1), 1)
            ]
        return min(first, default=None)

    def _posted(self, mails: Sequence[Outgoing], message: int | None = None) -> Iterator[Item]:
        """The mails, each waiting or beyond its address's cap, and what the caps count from now on; all about
        one `message` where that is given, else each about its own."""
        lately: dict[str, tuple[int, list[str]]] = {}
        for mail in mails:
            state = "waiting"
            if mail.capped:
                address = folded(mail.to)
                if address not in lately:
                    item = self._get(f"address {address}") or {"v": 0, "doc": []}
                    lately[address] = (item["v"], item["doc"])
                _, sent = lately[address]
                if any(
                    sum(one > instant(mail.created - span) for one in sent) >= most
                    for span, most in MAIL_CAPS
                ):
                    state = "suppressed"
                else:
                    sent.append(instant(mail.created))
            queued = QueuedMail(
                mail=mail if message is None else replace(mail, message=message),
                state=state,
                attempts=0,
                next_try=mail.created,
                trouble="",
            )
            place = _place(queued)
            yield self._new(
                f"mail {mail.id}", HEAD, mail_doc(queued), v=1, list=f"mails {state}", place=place
            )
        longest = max(span for span, _ in MAIL_CAPS)
        for address, (version, sent) in lately.items():
            newest = max((datetime.fromisoformat(one) for one in sent), default=None)
            kept = [one for one in sent if newest and one > instant(newest - longest)]
            made = put(self._table, f"address {address}", HEAD, kept, v=version + 1)
            if newest:
                made["Item"]["ttl"] = typed(int((newest + longest).timestamp()))
            yield {"Put": {**made, **still(version)}}

    def _mail_changed(self, item: Item, queued: QueuedMail) -> Item:
        made = put(
            self._table,
            f"mail {queued.mail.id}",
            HEAD,
            mail_doc(queued),
            v=item["v"] + 1,
            list=f"mails {queued.state}",
            place=_place(queued),
        )
        return {"Put": {**made, **still(item["v"])}}

    def _mail(self, mail_id: str, change: Callable[[QueuedMail], QueuedMail], act: Act | None = None) -> None:
        def attempt() -> tuple[list[Item], None]:
            item = self._get(f"mail {mail_id}")
            if item is None:
                return [], None
            return [self._mail_changed(item, change(mail_of(item))), *self._acts(act)], None

        self._tried(attempt)


def _place(queued: QueuedMail) -> str:
    return f"{instant(queued.mail.created)} {queued.mail.id}"


def mail_doc(queued: QueuedMail) -> dict[str, Any]:
    doc: dict[str, Any] = flat(asdict(queued))
    return doc


def mail_of(item: Item) -> QueuedMail:
    doc = item["doc"]
    mail = {**doc["mail"], "created": datetime.fromisoformat(doc["mail"]["created"])}
    return QueuedMail(
        **{**doc, "mail": Outgoing(**mail), "next_try": datetime.fromisoformat(doc["next_try"])}
    )
