"""What staff did is kept with what they did, or not at all."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.ports import Act, Change, DraftGone, ReplyDraft, Store
from chalicelib.refusals import NotFound

_spec = importlib.util.spec_from_file_location("store_values", Path(__file__).with_name("test_store.py"))
assert _spec
assert _spec.loader
values = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(values)
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def act(what: str, about: str, minute: int = 0) -> Act:
    return Act(
        id=f"id of {what}",
        who="Robin",
        what=what,
        about=about,
        detail="as told",
        when=NOW + timedelta(minutes=minute),
    )


def draft() -> ReplyDraft:
    return ReplyDraft(
        id="d", ticket="AAAA-1111", defect="CW-1", release="24", text="t", state="waiting", made=NOW
    )


def test_every_verb_of_staff_keeps_its_act(store: Store) -> None:
    store.open_ticket(values.ticket(), values.identity("c"), [values.mail("m")], NOW)
    number = "AAAA-1111"
    acts = [act(str(minute), number if minute < 4 else "A", minute) for minute in range(1, 8)]
    store.keep_draft(draft(), acts[0])
    store.drop_draft("d", acts[1])
    store.change_ticket(
        number, lambda held: Change(ticket=replace(held, assignee="bo@example.com"), act=acts[2]), NOW
    )
    store.import_agreements([values.agreement("A")], dry_run=False)
    store.amend("A", lambda held: replace(held, customer="Town"), acts[3])
    store.renew("A", values.Period(first=date(2030, 1, 1), last=date(2030, 12, 31)), acts[4])
    store.withdraw("A", date(2031, 1, 1), acts[5])
    store.set_key("A", "hash", NOW, acts[6])
    assert store.acts() == (tuple(reversed(acts)), "")
    assert store.acts(about="A") == (tuple(reversed(acts[3:])), "")
    store.retry_mails(NOW, "m", act("retry", "m", 9))
    assert store.acts(limit=1)[0] == (act("retry", "m", 9),)


def test_an_import_keeps_its_act_and_one_of_each_agreement_that_it_changes(store: Store) -> None:
    first, second, third = (values.agreement(number) for number in "ABC")
    store.import_agreements([first, second], dry_run=False)
    given = act("import agreements", "agreements")
    later = [replace(first, contacts=(), customer="Town"), second, third]
    store.import_agreements(later, dry_run=False, act=given)
    of_first = replace(given, id=f"{given.id} A", about="A", detail="changed: customer, contacts")
    of_third = replace(given, id=f"{given.id} C", about="C", detail="added")
    assert store.acts()[0] == (of_third, of_first, given)
    assert [store.acts(about=number)[0] for number in "ABC"] == [(of_first,), (), (of_third,)]


def test_an_act_beside_the_store_is_noted(store: Store) -> None:
    given = act("back up the desk", "desk")
    store.note(given)
    assert (store.acts(), store.acts(about="desk")) == (((given,), ""), ((given,), ""))


def test_what_changed_nothing_leaves_no_act(store: Store) -> None:
    with pytest.raises(NotFound):
        store.change_ticket("BBBB-2222", lambda held: Change(ticket=held), NOW)
    store.open_ticket(values.ticket(), values.identity("c"), [values.mail("m")], NOW)
    store.change_ticket("AAAA-1111", lambda held: Change(ticket=held, act=act("assign", "AAAA-1111")), NOW)
    store.keep_draft(draft())
    assert not store.keep_draft(draft(), act("draft", "AAAA-1111"))
    with pytest.raises(DraftGone):
        store.drop_draft("x", act("drop", "AAAA-1111"))
    with pytest.raises(NotFound):
        store.set_key("B", "hash", NOW, act("key", "B"))
    store.import_agreements([values.agreement("A")], dry_run=True, act=act("import", "agreements"))
    store.import_agreements([values.agreement("A")], dry_run=False)
    store.import_agreements([values.agreement("A")], dry_run=False, act=act("import", "agreements"))
    with pytest.raises(ValueError, match="overlaps"):
        store.renew("A", values.agreement("A").paid[0], act("renew", "A"))
    assert store.retry_mails(NOW, "none", act("retry", "none")) == 0
    assert store.acts() == ((), "")


def test_acts_are_read_in_parts(store: Store) -> None:
    store.import_agreements([values.agreement("A")], dry_run=False)
    acts = [act(f"{minute:02}", "A", minute) for minute in range(7)]
    for one in acts:
        store.set_key("A", f"hash {one.id}", NOW, one)
    read: list[Act] = []
    before = ""
    for _ in range(10):
        some, before = store.acts(about="A", before=before, limit=3)
        assert len(some) <= 3
        read += some
        if not before:
            break
    assert read == list(reversed(acts))
    first, mark = store.acts(limit=3)
    store.set_key("A", "later", NOW, replace(acts[0], id="later", when=NOW + timedelta(hours=1)))
    assert store.acts(before=mark, limit=3)[0] == tuple(reversed(acts))[3:6]
    assert first == tuple(reversed(acts))[:3]
