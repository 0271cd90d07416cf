"""What stands around the entries of a feed. `forms` is asked only for a feed that must be written."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = ("atom", "rss", "json")  # of the forms, as addresses end


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What stands around the entries. Addresses of feeds lack their ending: every form adds its own.

    `own` is the document's address, `current` that of the subscription document, `before` and `after` are the
    archives beside it ("" for none); `hub` is the WebSub hub, of the subscription document alone.
    """

    vendor: str
    title: str
    identity: str
    home: str
    own: str
    current: str
    before: str
    after: str
    hub: str

    @property
    def archived(self) -> bool:
        return self.own != self.current

    def links(self, form: str) -> list[tuple[str, str]]:
        """(relation, address) of what feedgen knows nothing of."""
        found = [("hub", self.hub)] if self.hub else []
        if self.archived:
            found.append(("current", f"{self.current}.{form}"))
        if self.before:
            found.append(("prev-archive", f"{self.before}.{form}"))
        if self.after:
            found.append(("next-archive", f"{self.after}.{form}"))
        return found
