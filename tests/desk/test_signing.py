"""Sealed claims: no second spelling passes, none outlives its time, none serves another purpose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.refusals import Expired, Forbidden
from chalicelib.signing import NUMBER_ALPHABET, Signer, agreement_key, read_key, ticket_number

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
SIGNER = Signer(b"0123456789abcdef")
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.mark.parametrize("path", ["a", "ab", "abc"])
def test_every_other_character_at_every_place_is_refused(path: str) -> None:
    """Three lengths, since the last character of base64 has bits to spare in two of three."""
    word = SIGNER.seal("p", {"path": path}, NOW)
    assert SIGNER.open("p", word, NOW - timedelta(seconds=1)) == {"path": path}
    for at in range(len(word)):
        for other in BASE64 + "=.+/ ":
            if other != word[at]:
                with pytest.raises(Forbidden):
                    SIGNER.open("p", word[:at] + other + word[at + 1 :], NOW - timedelta(seconds=1))


@given(st.text(max_size=80))
def test_law_no_text_opens_by_chance(word: str) -> None:
    with pytest.raises(Forbidden):
        SIGNER.open("p", word, NOW)


def test_purpose_secret_and_time_are_part_of_the_seal() -> None:
    word = SIGNER.seal("p", {"a": 1}, NOW)
    with pytest.raises(Expired):
        SIGNER.open("p", word, NOW)
    for signer, purpose in ((SIGNER, "q"), (Signer(b"0123456789abcdeX"), "p")):
        with pytest.raises(Forbidden, match="changed on its way"):
            signer.open(purpose, word, NOW - timedelta(days=1))
    with pytest.raises(ValueError, match=r"^SUPPORT_SECRET must hold at least 16 characters$"):
        Signer(b"short")


def test_tokens_do_not_confuse_their_parts() -> None:
    assert SIGNER.token("t", "ab", "c") != SIGNER.token("t", "a", "bc")
    assert len(SIGNER.token("t", "a")) == 43


def test_keys_and_numbers_are_long_enough_and_readable() -> None:
    key = agreement_key()
    assert len(NUMBER_ALPHABET) ** 30 > 2**128
    assert read_key(key.lower().replace("-", " ")) == key
    assert agreement_key() != key
    assert set(ticket_number()) <= {*NUMBER_ALPHABET, "-"}
