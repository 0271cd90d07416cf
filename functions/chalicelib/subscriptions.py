"""Subscribing: asking, confirming, choosing, leaving, and what stands in the way of a mail.

Nobody is subscribed before the owner of an address presses a button that only a mail to it leads to, and
nobody can have us flood an address: see `asked`. Leaving is one press, is undone by another, and neither ever
stops working. Knows no HTTP; the decisions are pure, a store keeps what they decide.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.catalog import Catalog
from chalicelib.ports.audit import Act
from chalicelib.ports.clock import Clock
from chalicelib.ports.mailings import MailingStore
from chalicelib.ports.mails import Outgoing
from chalicelib.ports.subscriptions import (
    CONFIRM,
    LEAVE,
    Change,
    Subscriber,
    SubscriptionStore,
    Suppression,
)
from chalicelib.refusals import Expired, FieldProblem, Invalid, NotFound
from chalicelib.signing import Signer, fingerprint
from chalicelib.topics import Topic, labels, topics

CONFIRMATIONS_APART = timedelta(days=1)
CONFIRMATIONS_AT_MOST = 3
CONFIRMATIONS_FORGOTTEN = timedelta(days=30)
"""After so long without one they count from nothing: whoever used up the three of a stranger's address keeps
its owner out for so long and no longer, and the links in them work for as long."""

CONFIRM_LETTER, KNOWN_LETTER = "subscription_confirm", "subscription_known"
_SPENT = "This link was used up, or a newer mail has another. Subscribe again, and you get a new one."


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionView:
    """A subscription as its owner sees it. `wanted`: topics that wait to be confirmed. `mail_comes_back`:
    nothing is sent all the same, because mail to the address came back or was complained of."""

    email: str
    state: str
    topics: tuple[str, ...]
    wanted: tuple[str, ...]
    offered: tuple[Topic, ...]
    labels: tuple[str, ...]
    wanted_labels: tuple[str, ...]
    since: datetime | None
    leave_url: str
    mail_comes_back: bool

    def as_json(self) -> dict[str, object]:
        return {
            "email": self.email,
            "state": self.state,
            "topics": list(self.topics),
            "wanted": list(self.wanted),
            "since": self.since.isoformat() if self.since else None,
            "leave_url": self.leave_url,
            "offered": [dict(topic.as_json()) for topic in self.offered],
        }


@dataclass(frozen=True, kw_only=True)
class Subscriptions:
    """The desk's subscriptions. `site` is its address without a slash at the end; `catalog` raises
    NotAvailable, `catalog_or_none` does not."""

    store: SubscriptionStore
    mailings: MailingStore
    signer: Signer
    catalog: Callable[[], Catalog]
    catalog_or_none: Callable[[], Catalog | None]
    clock: Clock
    site: str
    message_id: Callable[[], str]

    def ask(self, email: str, wanted: Iterable[str]) -> None:
        """Somebody wants mails at an address; whether it is theirs is what the mail asks. Tells nobody
        whether it is known. Raises Invalid, NotAvailable, NotStored."""
        chosen = self._checked(wanted, self.catalog())
        now, fresh = self.clock(), self.new(email, source="form")
        salt = uuid.uuid4().hex
        confirm_hash = fingerprint(self.signer.token("confirm subscription", fresh.id, salt))

        def decide(held: Subscriber | None, bar: Suppression | None) -> Change | None:
            return asked(
                held,
                bar,
                wanted=chosen,
                fresh=replace(fresh, salt=salt, confirm_hash=confirm_hash),
                renewed=lambda one: replace(
                    one,
                    salt=salt,
                    confirm_hash=fingerprint(self.signer.token("confirm subscription", one.id, salt)),
                ),
                mail=self._mail,
                now=now,
            )

        self.store.change_subscriber(email, decide)

    def to_confirm(self, token: str) -> SubscriptionView:
        """What a confirmation link would do; changes nothing. Raises NotFound, Expired."""
        return self.view(self._to_confirm(token))

    def confirm(self, token: str) -> SubscriptionView:
        """Do it; once more is the same. Raises NotFound, Expired."""
        subscriber = self._to_confirm(token)
        now, hashed = self.clock(), fingerprint(token)
        held = self.store.change_subscriber(
            subscriber.email, lambda held, _: confirmed(held, hashed=hashed, now=now)
        )
        if held is None or held.confirm_hash != hashed:
            raise Expired(_SPENT)
        return self.view(held)

    def at_leave(self, token: str) -> SubscriptionView:
        """The subscription that a leave link is of; changes nothing. Raises NotFound."""
        return self.view(self._of_leave(token))

    def leave(self, token: str) -> SubscriptionView:
        """Leave everything; again and again is the same. Raises NotFound."""
        return self._changed(token, left)

    def undo(self, token: str) -> SubscriptionView:
        """Get what was got before leaving. Raises NotFound."""
        return self._changed(token, back)

    def choose(self, token: str, names: Iterable[str]) -> SubscriptionView:
        """Get these topics from now on, and no others. Raises NotFound, Invalid, NotAvailable."""
        chosen = self._checked(names, self.catalog())
        return self._changed(token, lambda held, now: choosing(held, chosen, now))

    def of(self, email: str) -> SubscriptionView | None:
        """The subscription of an address, for somebody who has proved that it is theirs; None without
        one."""
        held = self.store.subscriber(email)
        return self.view(held) if held else None

    def leave_for(self, email: str, act: Act | None = None) -> SubscriptionView:
        """Staff take an address out, as its owner asked; one that is not known is kept as one that left, so
        that no import brings it in."""
        now = self.clock()
        fresh = replace(self.new(email, source="staff"), state="left")

        def decide(held: Subscriber | None, _: Suppression | None) -> Change | None:
            if held is None:
                return Change(subscriber=fresh)
            return left(held, now)

        held = self.store.change_subscriber(email, decide, act)
        return self.view(held or fresh)

    def forget(self, email: str, act: Act | None = None) -> bool:
        """Keep nothing of an address but that its leave links were ours; whether something was kept."""
        held = self.store.subscriber(email)
        if held is not None:
            self.mailings.forget_deliveries(held.id)

        def decide(held: Subscriber | None, _: Suppression | None) -> Change | None:
            return Change(subscriber=None) if held else None

        self.store.change_subscriber(email, decide, act)
        return held is not None

    def new(self, email: str, *, source: str) -> Subscriber:
        """A subscriber of an address that is not known yet."""
        made = uuid.uuid4().hex
        return Subscriber(
            id=made,
            email=email,
            state="unconfirmed",
            topics=(),
            source=source,
            changed=self.clock(),
            leave_hash=fingerprint(self.signer.token("leave", made)),
        )

    def leave_url(self, subscriber_id: str) -> str:
        """The secret address that its owner leaves by."""
        return f"{self.site}/api/subscriptions/leave/{self.signer.token('leave', subscriber_id)}"

    def confirm_url(self, subscriber: Subscriber) -> str:
        token = self.signer.token("confirm subscription", subscriber.id, subscriber.salt)
        return f"{self.site}/api/subscriptions/confirm/{token}"

    def view(self, held: Subscriber) -> SubscriptionView:
        catalog = self.catalog_or_none()
        return SubscriptionView(
            email=held.email,
            state=held.state,
            topics=held.topics,
            wanted=held.wanted,
            offered=topics(catalog),
            labels=labels(held.topics, catalog),
            wanted_labels=labels(held.wanted, catalog),
            since=held.since,
            leave_url=self.leave_url(held.id) if held.id else "",
            mail_comes_back=bool(held.email) and self.store.is_suppressed(held.email),
        )

    def _changed(
        self, token: str, change: Callable[[Subscriber, datetime], Change | None]
    ) -> SubscriptionView:
        subscriber = self._of_leave(token)
        if subscriber.state == "forgotten":
            return self.view(subscriber)
        now = self.clock()
        held = self.store.change_subscriber(
            subscriber.email, lambda held, _: change(held, now) if held else None
        )
        return self.view(held or subscriber)

    def _of_leave(self, token: str) -> Subscriber:
        found = self.store.subscriber_by_token(LEAVE, fingerprint(token))
        if found is None:
            raise NotFound
        return found

    def _to_confirm(self, token: str) -> Subscriber:
        found = self.store.subscriber_by_token(CONFIRM, fingerprint(token))
        if found is None:
            raise NotFound
        waits = found.wanted and found.asked and self.clock() - found.asked[-1] < CONFIRMATIONS_FORGOTTEN
        if not waits and (found.state != "confirmed" or found.wanted):
            raise Expired(_SPENT)
        return found

    def _checked(self, names: Iterable[str], catalog: Catalog) -> tuple[str, ...]:
        chosen, known = tuple(dict.fromkeys(names)), [topic.name for topic in topics(catalog)]
        if not chosen:
            raise Invalid([FieldProblem(field="topics", message="Choose at least one topic.")])
        strange = [name for name in chosen if name not in known]
        if strange:
            told = f"Choose topics from these: {', '.join(known)}."
            raise Invalid([FieldProblem(field="topics", message=told)])
        return tuple(name for name in known if name in chosen)

    def _mail(self, template: str, subscriber: Subscriber) -> Outgoing:
        return Outgoing(
            id=uuid.uuid4().hex,
            message_id=self.message_id(),
            template=template,
            to=subscriber.email,
            about=subscriber.id,
            message=0,
            capped=True,
            created=self.clock(),
        )


def asked(
    held: Subscriber | None,
    bar: Suppression | None,
    *,
    wanted: tuple[str, ...],
    fresh: Subscriber,
    renewed: Callable[[Subscriber], Subscriber],
    mail: Callable[[str, Subscriber], Outgoing],
    now: datetime,
) -> Change | None:
    """Somebody asked for topics at an address: a confirmation goes there if none did within a day and fewer
    than three since it was last forgotten; what was asked last is what it confirms. Who gets it all already
    is told so, under the same cap. An address that mail came back from gets nothing."""
    if bar is not None and bar.holds:
        return None
    before = held or fresh
    sent = before.asked if before.asked and now - before.asked[-1] < CONFIRMATIONS_FORGOTTEN else ()
    due = not sent or (len(sent) < CONFIRMATIONS_AT_MOST and now - sent[-1] >= CONFIRMATIONS_APART)
    has_all = before.state == "confirmed" and set(wanted) <= set(before.topics)
    if has_all:
        kept = replace(before, asked=(*sent, now) if due else sent)
        return Change(subscriber=kept, mails=(mail(KNOWN_LETTER, kept),)) if due else None
    # One link for all the mails of an episode: each of them works until one is pressed.
    episode = before if held is not None and sent and before.wanted else renewed(before)
    kept = replace(episode, wanted=wanted, asked=(*sent, now) if due else sent, changed=now)
    return Change(subscriber=kept, mails=(mail(CONFIRM_LETTER, kept),) if due else ())


def confirmed(held: Subscriber | None, *, hashed: str, now: datetime) -> Change | None:
    """The owner pressed the button of the confirmation with that hash."""
    if held is None or held.confirm_hash != hashed or not held.wanted:
        return None
    again = held.state == "confirmed"
    gets = tuple(dict.fromkeys((*held.topics, *held.wanted))) if again else held.wanted
    since = held.since if again else now
    return Change(
        subscriber=replace(
            held, state="confirmed", topics=gets, wanted=(), asked=(), source="form", since=since, changed=now
        )
    )


def left(held: Subscriber, now: datetime) -> Change | None:
    """The owner leaves: what they got is kept for an undo, and no confirmation of before counts any more."""
    if held.state == "left" and not held.wanted:
        return None
    return Change(subscriber=replace(held, state="left", wanted=(), salt="", confirm_hash="", changed=now))


def back(held: Subscriber, now: datetime) -> Change | None:
    """The owner takes their leaving back."""
    if held.state != "left" or not held.topics:
        return None
    return Change(subscriber=replace(held, state="confirmed", since=held.since or now, changed=now))


def choosing(held: Subscriber, chosen: tuple[str, ...], now: datetime) -> Change | None:
    """The owner chooses topics, by a link that only mail to them holds."""
    if held.state == "confirmed" and set(held.topics) == set(chosen):
        return None
    return Change(
        subscriber=replace(
            held, state="confirmed", topics=chosen, source="form", since=held.since or now, changed=now
        )
    )


def imported(
    topics_: tuple[str, ...], state: str, since: datetime | None, *, fresh: Subscriber, told: dict[str, str]
) -> Callable[[Subscriber | None, Suppression | None], Change | None]:
    """How an import's row decides. It never brings back who left or whose mail came back, and never changes
    what somebody chose for themselves; `told` gets why, by address."""

    def decide(held: Subscriber | None, bar: Suppression | None) -> Change | None:
        told.pop(fresh.email, None)
        if state == "left":
            if held is None:
                return Change(subscriber=replace(fresh, state="left", topics=topics_, since=since))
            return left(held, fresh.changed)
        if bar is not None and bar.holds:
            told[fresh.email] = f"suppressed: {bar.reason}"
            return None
        if held is not None and held.state == "left":
            told[fresh.email] = "has left"
            return None
        if held is not None and held.state == "confirmed":
            if set(held.topics) == set(topics_):
                return None
            if held.source == "form":
                told[fresh.email] = "chose other topics"
                return None
        before = held or fresh
        return Change(
            subscriber=replace(
                before,
                state="confirmed",
                topics=topics_,
                wanted=(),
                source=fresh.source,
                since=before.since or since or fresh.changed,
                changed=fresh.changed,
            )
        )

    return decide
