"""What staff did: kept in the transaction that did it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """Something that a member of staff did. `who`: the name they go by; `what`: a few words of ours, such as
    "assign ticket"; `about`: the ticket, agreement or address; `detail`: what it was set to. No secret and no
    text of a message."""

    id: str
    who: str
    what: str
    about: str
    detail: str
    when: datetime


def act_of_one(act: Act | None, number: str, detail: str) -> Act | None:
    """What an act that changed many things did to one of them."""
    return act and replace(act, id=f"{act.id} {number}", about=number, detail=detail)


class AuditStore(Protocol):
    """The verbs that staff call keep the `act` that they are given, or nothing at all."""

    def acts(self, *, about: str = "", before: str = "", limit: int = 100) -> tuple[tuple[Act, ...], str]:
        """The newest first, those about one thing or all of them; and the mark that `before` takes for those
        that follow, "" when there are no more."""
        ...

    def note(self, act: Act) -> None:
        """Keep an act that changes nothing else in the store: that a copy of it was made, for one."""
        ...
