"""Tickets whose known issue is fixed: drafted once, sent by a person. CW-1 is fixed in 24 and in 15.8.9."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from chalicelib.life import NotNow
from chalicelib.ports import DraftGone
from chalicelib.refusals import Invalid, NotFound


def linked(world: Any, **changes: str) -> Any:
    receipt = world.desk.tickets.open(world.draft(**{"product": "cityworks", "version": "23.4", **changes}))
    world.desk.handling.link(receipt.number, "CW-1", world.act())
    return receipt


def draft(world: Any) -> Any:
    return world.desk.fixes.draft(lambda number, defect: world.act("draft", number))


def test_a_link_is_to_what_the_catalog_knows_and_can_be_taken_back(world: Any) -> None:
    receipt = linked(world)
    assert world.desk.store.ticket(receipt.number).defects == ("CW-1",)
    with pytest.raises(Invalid, match=r"^The catalog has no known issue and no fix CW-77\.$"):
        world.desk.handling.link(receipt.number, "CW-77", world.act())
    world.desk.handling.unlink(receipt.number, "CW-1", world.act())
    assert draft(world) == ()
    with pytest.raises(NotNow, match=f"{receipt.number} is not linked to CW-1"):
        world.desk.handling.unlink(receipt.number, "CW-1", world.act())
    texts = [line["text"] for line in world.desk.tickets.read(receipt.token).history]
    assert texts[1:] == ["It is linked to CW-1.", "It is no longer linked to CW-1."]


def test_a_draft_names_the_release_its_page_and_whether_the_agreement_gives_it(world: Any) -> None:
    world.keep(world.agreement())
    linked(world, agreement="US-1")
    (made,) = draft(world)
    assert made.text == (
        "What you reported is fixed: CW-1, Printing a map of Montréal.\n\n"
        "It is fixed in Cityworks 24, which came out on February 28, 2026. What is new in it,\n"
        "and how to install it:\nhttps://support.example.com/releases/cityworks/24/\n\n"
        "Your agreement includes it. A current agreement gives every release of its product. Today, "
        "November 23, 2026, is covered: March 1, 2026 to February 28, 2027.\n\n"
        "Write to us here if it goes on after that."
    )


def test_a_release_that_the_customer_may_have_comes_before_one_that_they_may_not(world: Any) -> None:
    # Covered until 2026-02-28: 24 came out on that day, 15.8.9 in August.
    world.keep(world.agreement(starts=date(2025, 3, 1)))
    linked(world, agreement="US-1", version="15.8")
    (made,) = draft(world)
    assert made.release == "24"
    assert "Your agreement includes it. A lapsed agreement gives" in made.text


def test_a_release_that_the_agreement_does_not_give_is_named_with_what_would_change_that(world: Any) -> None:
    world.keep(world.agreement(starts=date(2024, 3, 1)))
    linked(world, agreement="US-1")
    (made,) = draft(world)
    assert made.release == "24"
    assert "Your agreement does not include it. A lapsed agreement gives what was released while it was" in (
        made.text
    )
    assert "Renewing the agreement would give it" in made.text
    assert ".md:" not in made.text


def test_the_update_of_ones_own_version_comes_first(world: Any) -> None:
    linked(world, version="15.8")
    (made,) = draft(world)
    assert made.release == "15.8.9"
    assert "Whether your agreement includes it: https://support.example.com/support/renewal/" in made.text


def test_a_stranger_learns_nothing_about_an_agreement(world: Any) -> None:
    world.keep(world.agreement())
    linked(world, agreement="US-1", email="eve@example.org")
    (made,) = draft(world)
    assert "Whether your agreement includes it:" in made.text


def test_running_it_twice_drafts_nothing_twice_whatever_became_of_it(world: Any) -> None:
    receipt = linked(world)
    (made,) = draft(world)
    assert draft(world) == ()
    world.desk.fixes.drop(made.id, world.act())
    assert draft(world) == ()
    with pytest.raises(NotFound):
        world.desk.fixes.waiting(made.id)
    assert world.desk.store.ticket(receipt.number).state == "open"
    assert [act.what for act in world.desk.store.acts()[0]] == ["test", "draft", "test"]


def test_a_closed_ticket_is_left_alone(world: Any) -> None:
    receipt = linked(world)
    world.desk.tickets.solved(receipt.token)
    assert draft(world) == ()


def test_a_person_sends_it_once(world: Any) -> None:
    receipt = linked(world)
    (made,) = draft(world)
    world.desk.handling.reply(receipt.number, made.text, world.act(), draft=made.id)
    assert world.desk.store.ticket(receipt.number).state == "answered"
    with pytest.raises(DraftGone):
        world.desk.handling.reply(receipt.number, "Other words", world.act(), draft=made.id)
    assert len(world.desk.store.ticket(receipt.number).messages) == 1
