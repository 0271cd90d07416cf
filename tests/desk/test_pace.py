"""How fast one may go on: per client, and per account without locking its owner out."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.pace import WRONG_KEYS, Allowance, Guesses, Guessing, Pace
from chalicelib.refusals import TooMany

FEW = Guessing(
    client=Allowance(burst=4, per_minute=1),
    pair=Allowance(burst=2, per_minute=1),
    account=Allowance(burst=5, per_minute=6),
)


@dataclass
class Seconds:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def may(guesses: Guesses, client: str, account: str) -> bool:
    try:
        guesses.require(client, account)
    except TooMany:
        return False
    return True


def guess(guesses: Guesses, client: str, account: str, times: int = 1) -> list[bool]:
    """Wrong keys, one after the other: which of them were looked at."""
    looked = []
    for _ in range(times):
        looked.append(may(guesses, client, account))
        if looked[-1]:
            guesses.count(client, account)
    return looked


def test_a_bucket_empties_and_fills_again() -> None:
    now = Seconds()
    pace = Pace(Allowance(burst=2, per_minute=4), now)
    pace.spend("a")
    pace.spend("a")
    with pytest.raises(TooMany) as caught:
        pace.spend("a")
    assert (caught.value.detail, caught.value.retry_after) == (
        "Too much came from your connection in a short time; the limit is 2 at once, then 4 a minute. "
        "Wait 15 seconds and send it again; nothing was stored.",
        15,
    )
    pace.spend("b")
    now.now += 15
    pace.spend("a")


@given(st.lists(st.tuples(st.floats(min_value=0, max_value=100), st.sampled_from("ab")), max_size=60))
def test_who_waits_as_long_as_told_is_let_on_and_nobody_spends_more_than_the_allowance(
    steps: list[tuple[float, str]],
) -> None:
    now, allowance, spent = Seconds(), Allowance(burst=3, per_minute=6), {"a": 0, "b": 0}
    pace = Pace(allowance, now)
    for pause, client in steps:
        now.now += pause
        try:
            pace.spend(client)
        except TooMany as refused:
            now.now += refused.retry_after
            pace.spend(client)
        spent[client] += 1
    passed = now.now - 1000
    assert all(
        count <= allowance.burst + passed * allowance.per_minute / 60 + 1e-6 for count in spent.values()
    )


def test_a_client_has_few_wrong_keys_for_one_agreement_and_some_more_for_all() -> None:
    guesses = Guesses(FEW, Seconds())
    assert guess(guesses, "192.0.2.1", "A", 4) == [True, True, False, False]
    assert guess(guesses, "192.0.2.1", "B", 4) == [True, True, False, False]
    assert guess(guesses, "192.0.2.1", "C") == [False]
    assert guess(guesses, "192.0.2.2", "A") == [True]


def test_all_of_an_ipv6_64_is_one_client() -> None:
    guesses = Guesses(FEW, Seconds())
    assert [guess(guesses, f"2001:db8::{at}", "A")[0] for at in range(1, 5)] == [True, True, False, False]
    assert guess(guesses, "2001:db8:0:1::1", "A") == [True]


def test_strangers_who_guess_at_an_agreement_cannot_lock_its_owner_out() -> None:
    now = Seconds()
    guesses = Guesses(FEW, now)
    strangers = [f"203.0.113.{at}" for at in range(50)]
    assert all(guess(guesses, one, "A") == [True] for one in strangers)
    assert [may(guesses, one, "A") for one in strangers] == [False] * 50
    assert may(guesses, "192.0.2.1", "A"), "the owner, who has not mistyped"
    assert guess(guesses, "192.0.2.1", "A") == [True], "the owner mistypes once"
    assert not may(guesses, "192.0.2.1", "A"), "while so many guess, who mistyped has to wait"
    assert may(guesses, "192.0.2.1", "B")
    now.now += 60
    for one in strangers:
        guess(guesses, one, "A")
    assert may(guesses, "192.0.2.1", "A"), "and not for longer than a minute"


def test_the_words_of_a_wait_are_the_same_for_each_reason() -> None:
    """Promise 9: nothing tells whether there is such an agreement, or who else asked for it."""
    guesses, said = Guesses(FEW, Seconds()), set()
    for client, account, times in (("192.0.2.1", "A", 3), ("192.0.2.2", "B", 2), ("192.0.2.2", "C", 2)):
        guess(guesses, client, account, times)
        try:
            guesses.require(client, "D" if client == "192.0.2.2" else account)
        except TooMany as refused:
            assert refused.retry_after >= 1
            said.add(re.sub("[0-9]+ seconds?", "N seconds", refused.detail))
    for at in range(9):
        guess(guesses, f"203.0.113.{at}", "E")
    with pytest.raises(TooMany) as caught:
        guesses.require("203.0.113.0", "E")
    said.add(re.sub("[0-9]+ seconds?", "N seconds", caught.value.detail))
    assert said == {
        "Too many wrong keys came from your connection; the limit is 4 at once, then 1 a minute, for one "
        "agreement 2 at once, then 1 a minute. Wait N seconds and try again; nothing is locked."
    }


def test_what_is_set_slows_each_kind_of_guesser() -> None:
    assert WRONG_KEYS.pair.burst < WRONG_KEYS.client.burst < WRONG_KEYS.account.burst
    assert min(one.per_minute for one in (WRONG_KEYS.client, WRONG_KEYS.pair, WRONG_KEYS.account)) > 0
