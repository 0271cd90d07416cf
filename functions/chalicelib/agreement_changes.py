"""What an import would change, field by field, and when it is so much that somebody should look first.

Values in, values out. Agreements that a file does not name stay as they are: they are listed, not taken away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib.agreement_tables import cells
from chalicelib.agreements import Agreement

FEW = 4
"""So many changed agreements can be looked through on a screen: fewer are never held."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """A cell as it is, and as the file has it."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """An agreement that is here and differs in the file; its fields in the order of the columns."""

    agreement: str
    fields: tuple[FieldChange, ...]

    @property
    def summary(self) -> str:
        return "changed: " + ", ".join(one.field for one in self.fields)


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """A file beside what is kept, by agreement number, sorted."""

    added: tuple[str, ...]
    changed: tuple[Change, ...]
    unchanged: tuple[str, ...]
    not_in_file: tuple[str, ...]

    @property
    def summaries(self) -> Mapping[str, str]:
        """A few words for each agreement that is not left as it is, by number."""
        words = dict.fromkeys(self.added, "added")
        words |= {change.agreement: change.summary for change in self.changed}
        return dict(sorted(words.items()))

    @property
    def reasons_to_look(self) -> tuple[str, ...]:
        """Why somebody should confirm this; empty when nobody need.

        A file is held that names fewer than half as many agreements as are here, that changes more than half
        of them (and more than `FEW`), or that withdraws more than half of those that are not withdrawn (and
        more than one).
        """
        here = len(self.changed) + len(self.unchanged) + len(self.not_in_file)
        named = len(self.added) + len(self.changed) + len(self.unchanged)
        withdrawing = sum(
            1
            for change in self.changed
            for one in change.fields
            if (one.field, one.before) == ("withdrawn", "")
        )
        reasons = []
        if named * 2 < here:
            reasons.append(f"it names {_agreements(named)}, fewer than half of the {here} that are here")
        if len(self.changed) * 2 > here and len(self.changed) > FEW:
            reasons.append(
                f"it changes {_agreements(len(self.changed))}, more than half of the {here} that are here"
            )
        if withdrawing * 2 > here and withdrawing > 1:
            reasons.append(
                f"it withdraws {_agreements(withdrawing)}, more than half of the {here} that are here"
            )
        return tuple(reasons)

    def as_json(self) -> dict[str, object]:
        return {
            "added": list(self.added),
            "changed": [
                {
                    "agreement": change.agreement,
                    "fields": [
                        {"field": one.field, "before": one.before, "after": one.after}
                        for one in change.fields
                    ],
                }
                for change in self.changed
            ],
            "unchanged": list(self.unchanged),
            "not_in_file": list(self.not_in_file),
        }


class ImportHeld(Exception):
    """Nothing was kept: the file changes so much that somebody should confirm it."""

    def __init__(self, changes: Changes) -> None:
        super().__init__("; ".join(changes.reasons_to_look))
        self.changes = changes


def compare(held: Iterable[Agreement], wanted: Iterable[Agreement]) -> Changes:
    """What `wanted` would change of what is `held`."""
    here = {one.agreement: one for one in held}
    there = {one.agreement: one for one in wanted}
    changed = []
    for number in sorted(here.keys() & there.keys()):
        before, after = cells(here[number]), cells(there[number])
        fields = tuple(
            FieldChange(field=name, before=before[name], after=after[name])
            for name in before
            if before[name] != after[name]
        )
        if fields:
            changed.append(Change(agreement=number, fields=fields))
    differing = {change.agreement for change in changed}
    return Changes(
        added=tuple(sorted(there.keys() - here.keys())),
        changed=tuple(changed),
        unchanged=tuple(sorted((here.keys() & there.keys()) - differing)),
        not_in_file=tuple(sorted(here.keys() - there.keys())),
    )


def _agreements(count: int) -> str:
    return f"{count} agreement{'' if count == 1 else 's'}"
