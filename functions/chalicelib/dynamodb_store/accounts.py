"""Sign-in links, sessions and calendars in DynamoDB.

All that is an address's own lies in one partition, so that it is read consistently and ended as a whole; the
hash of a secret leads there by an item of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime

from chalicelib.dynamodb_store.items import HEAD, Item, flat, instant, put, typed
from chalicelib.dynamodb_store.mails import DynamoMails
from chalicelib.dynamodb_store.table import still, trouble
from chalicelib.ports.accounts import (
    CODE_TRIES,
    LONGEST,
    MOST_BROWSERS,
    MOST_SESSIONS,
    CalendarLink,
    Forgotten,
    SignIn,
    WebSession,
)
from chalicelib.ports.audit import Act
from chalicelib.ports.mails import Outgoing

_SIGN_IN = "sign-in"
_CALENDAR = "calendar"
_SESSION = "session "


class DynamoAccounts(DynamoMails):
    """`AccountStore` on DynamoDB. A mark is a place in the list: instant and id."""

    def ask_sign_in(self, asked: SignIn, mail: Outgoing, now: datetime) -> None:
        def attempt() -> tuple[list[Item], None]:
            item = self._get(_account(asked.address), _SIGN_IN)
            held = _sign_in(item)
            posted = list(self._posted([mail], 0))
            suppressed = posted[0]["Put"]["Item"]["list"] == typed("mails suppressed")
            if suppressed and held is not None and not held.used and now < held.expires:
                joined = replace(held, browsers=(*held.browsers, *asked.browsers)[-MOST_BROWSERS:])
                return [self._sign_in_item(item, joined), *posted], None
            pointer = self._new(
                f"sign-in {asked.token_hash}", HEAD, asked.address, ttl=_second(asked.expires)
            )
            return [self._sign_in_item(item, asked), pointer, *posted], None

        self._tried(attempt)

    def sign_in(self, address: str) -> SignIn | None:
        with trouble():
            return _sign_in(self._get(_account(address), _SIGN_IN))

    def sign_in_by_token(self, token_hash: str) -> SignIn | None:
        with trouble():
            pointer = self._get(f"sign-in {token_hash}")
        held = self.sign_in(pointer["doc"]) if pointer else None
        return held if held is not None and held.token_hash == token_hash else None

    def try_code(self, asked: SignIn) -> bool:
        def attempt() -> tuple[list[Item], bool]:
            item = self._get(_account(asked.address), _SIGN_IN)
            held = _sign_in(item)
            if held is None or held.id != asked.id or held.used or held.tries >= CODE_TRIES:
                return [], False
            return [self._sign_in_item(item, replace(held, tries=held.tries + 1))], True

        return self._tried(attempt)

    def redeem_sign_in(self, asked: SignIn, session: WebSession, *, instead_of: str, now: datetime) -> bool:
        def attempt() -> tuple[list[Item], bool]:
            item = self._get(_account(asked.address), _SIGN_IN)
            held = _sign_in(item)
            if held is None or held.id != asked.id or held.used:
                return [], False
            earlier = self._get(f"session {instead_of}") if instead_of else None
            others = [
                one
                for one in self._sessions(session.address)
                if one.secret_hash != instead_of and now < one.began + LONGEST
            ]
            gone = others[MOST_SESSIONS - 1 :]
            if earlier is not None:
                mine = self._session_of(earlier)
                gone += [mine] if mine else []
            return [
                self._sign_in_item(item, replace(held, used=True)),
                *self._session_items(session),
                *(write for one in gone for write in self._session_gone(one)),
            ], True

        return self._tried(attempt)

    def session(self, secret_hash: str) -> WebSession | None:
        with trouble():
            pointer = self._get(f"session {secret_hash}")
            return self._session_of(pointer) if pointer else None

    def use_session(self, session: WebSession, now: datetime) -> None:
        def attempt() -> tuple[list[Item], None]:
            item = self._get(_account(session.address), _SESSION + session.id)
            if item is None:
                return [], None
            return [self._session_item(replace(session, seen=now), item["v"])], None

        self._tried(attempt)

    def sessions_of(self, address: str) -> tuple[WebSession, ...]:
        with trouble():
            return tuple(self._sessions(address))

    def end_session(self, address: str, session_id: str, act: Act | None = None) -> bool:
        def attempt() -> tuple[list[Item], bool]:
            item = self._get(_account(address), _SESSION + session_id)
            if item is None:
                return [], False
            return [*self._session_gone(_session(item)), *self._acts(act)], True

        return self._tried(attempt)

    def end_sessions(self, address: str, act: Act | None = None) -> int:
        def attempt() -> tuple[list[Item], int]:
            held = self._sessions(address)
            gone = [write for one in held for write in self._session_gone(one)]
            return [*gone, *self._acts(act)] if held else [], len(held)

        return self._tried(attempt)

    def sessions(self, *, before: str = "", limit: int = 100) -> tuple[tuple[WebSession, ...], str]:
        items, more = self._newest(listed="sessions", before=before, limit=limit)
        return tuple(map(_session, items)), str(items[-1]["place"]) if more else ""

    def calendar(self, address: str) -> CalendarLink | None:
        with trouble():
            item = self._get(_account(address), _CALENDAR)
        return CalendarLink(**item["doc"]) if item else None

    def calendar_by_token(self, token_hash: str) -> CalendarLink | None:
        with trouble():
            pointer = self._get(f"calendar {token_hash}")
        held = self.calendar(pointer["doc"]) if pointer else None
        return held if held is not None and held.token_hash == token_hash else None

    def keep_calendar(self, link: CalendarLink) -> None:
        def attempt() -> tuple[list[Item], None]:
            item = self._get(_account(link.address), _CALENDAR)
            version = item["v"] if item else 0
            made = put(self._table, _account(link.address), _CALENDAR, asdict(link), v=version + 1)
            older = [self._gone(f"calendar {item['doc']['token_hash']}", HEAD)] if item else []
            pointer = self._new(f"calendar {link.token_hash}", HEAD, link.address)
            return [{"Put": {**made, **still(version)}}, pointer, *older], None

        self._tried(attempt)

    def drop_calendar(self, address: str) -> bool:
        def attempt() -> tuple[list[Item], bool]:
            writes = list(self._calendar_gone(address))
            return writes, bool(writes)

        return self._tried(attempt)

    def forget_account(self, address: str, act: Act | None = None) -> Forgotten:
        def attempt() -> tuple[list[Item], Forgotten]:
            asked = self._get(_account(address), _SIGN_IN)
            calendar = list(self._calendar_gone(address))
            held = self._sessions(address)
            gone = [write for one in held for write in self._session_gone(one)]
            if asked:
                gone.append(self._gone(_account(address), _SIGN_IN))
                gone.append(self._gone(f"sign-in {asked['doc']['token_hash']}", HEAD))
            forgotten = Forgotten(sign_in=bool(asked), sessions=len(held), calendar=bool(calendar))
            return [*gone, *calendar, *(self._acts(act) if forgotten.anything else ())], forgotten

        return self._tried(attempt)

    def _gone(self, pk: str, sk: str) -> Item:
        return {"Delete": {"TableName": self._table, "Key": self._key(pk, sk)}}

    def _sign_in_item(self, item: Item | None, kept: SignIn) -> Item:
        version = item["v"] if item else 0
        made = put(
            self._table,
            _account(kept.address),
            _SIGN_IN,
            flat(asdict(kept)),
            v=version + 1,
            ttl=_second(kept.expires),
        )
        return {"Put": {**made, **still(version)}}

    def _sessions(self, address: str) -> list[WebSession]:
        """The newest first."""
        items = self._query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": typed(_account(address)), ":sk": typed(_SESSION)},
            ConsistentRead=True,
        )
        return sorted(map(_session, items), key=lambda one: (one.began, one.id), reverse=True)

    def _session_of(self, pointer: Item) -> WebSession | None:
        item = self._get(_account(pointer["doc"]["address"]), _SESSION + pointer["doc"]["id"])
        return _session(item) if item else None

    def _session_item(self, session: WebSession, version: int) -> Item:
        made = put(
            self._table,
            _account(session.address),
            _SESSION + session.id,
            flat(asdict(session)),
            v=version + 1,
            list="sessions",
            place=f"{instant(session.began)} {session.id}",
            ttl=_second(session.began + LONGEST),
        )
        return {"Put": {**made, **still(version)}}

    def _session_items(self, session: WebSession) -> Iterator[Item]:
        yield self._session_item(session, 0)
        yield self._new(
            f"session {session.secret_hash}",
            HEAD,
            {"address": session.address, "id": session.id},
            ttl=_second(session.began + LONGEST),
        )

    def _session_gone(self, session: WebSession) -> Iterator[Item]:
        yield self._gone(_account(session.address), _SESSION + session.id)
        yield self._gone(f"session {session.secret_hash}", HEAD)

    def _calendar_gone(self, address: str) -> Iterator[Item]:
        item = self._get(_account(address), _CALENDAR)
        if item:
            yield self._gone(_account(address), _CALENDAR)
            yield self._gone(f"calendar {item['doc']['token_hash']}", HEAD)


def _account(address: str) -> str:
    return f"account {address}"


def _second(at: datetime) -> int:
    return int(at.timestamp())


def _sign_in(item: Item | None) -> SignIn | None:
    if item is None:
        return None
    doc = item["doc"]
    return SignIn(
        **{**doc, "browsers": tuple(doc["browsers"]), "expires": datetime.fromisoformat(doc["expires"])}
    )


def _session(item: Item) -> WebSession:
    doc = item["doc"]
    return WebSession(
        **{
            **doc,
            "began": datetime.fromisoformat(doc["began"]),
            "seen": datetime.fromisoformat(doc["seen"]),
        }
    )
