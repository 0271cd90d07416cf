"""Who a request came from, behind no proxy of ours, one and two, whatever the client says of itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.clients import address, neighbourhood

ADDRESSES = st.ip_addresses().map(str)


@pytest.mark.parametrize(
    ("forwarded", "proxies", "client"),
    [
        ("", 0, "192.0.2.9"),
        ("203.0.113.1", 0, "192.0.2.9"),
        ("", 1, "192.0.2.9"),
        ("203.0.113.1", 1, "203.0.113.1"),
        ("198.51.100.7, 203.0.113.1", 1, "203.0.113.1"),
        ("198.51.100.7, 203.0.113.1, 10.0.0.1", 2, "203.0.113.1"),
        ("203.0.113.1", 2, "203.0.113.1"),
        ("203.0.113.1:4711", 1, "203.0.113.1"),
        ("[2001:db8::1]:443", 1, "2001:db8::1"),
        ("2001:DB8:0::1", 1, "2001:db8::1"),
        ("unknown", 1, "192.0.2.9"),
        ("203.0.113.1, _hidden", 1, "192.0.2.9"),
        ("203.0.113.1, ", 1, "192.0.2.9"),
        ("unknown, 10.0.0.1", 2, "10.0.0.1"),
        ("192.0.2.1\x00", 1, "192.0.2.9"),
    ],
)
def test_only_the_words_of_our_own_proxies_count(forwarded: str, proxies: int, client: str) -> None:
    assert address("192.0.2.9", forwarded, proxies) == client


@given(st.text(), ADDRESSES, st.lists(ADDRESSES, max_size=3), ADDRESSES)
def test_what_a_client_says_of_itself_changes_nothing(
    claimed: str, client: str, between: list[str], peer: str
) -> None:
    """`between` are the addresses that our inner proxies saw of our outer ones."""
    proxies = 1 + len(between)
    honest = ", ".join([client, *between])
    assert address(peer, f"{claimed}, {honest}", proxies) == address(peer, honest, proxies) == client


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        ("203.0.113.1", "203.0.113.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.1", "203.0.113.1"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_all_of_a_64_is_one_client(client: str, counted: str) -> None:
    assert neighbourhood(client) == counted
