"""Limits are polite: 429 with Retry-After in plain words, and one client's is not another's (promise 27)."""

from __future__ import annotations

from typing import Any

import lxml.html
import pytest

from app import _client
from chalicelib.answers import PROBLEM_TYPES
from chalicelib.pace import Allowance, Guessing
from chalicelib.wiring import Settings, SettingTrouble
from desk.gateway import Gateway

ONE = Allowance(burst=1, per_minute=1)
MANY = Allowance(burst=1_000_000, per_minute=1_000_000)
TICKET = {
    "name": "Dana Ortiz",
    "email": "dana@example.gov",
    "kind": "question",
    "severity": "P3",
    "subject": "How do I print?",
    "description": "All of it.",
}


@pytest.mark.parametrize(
    ("proxies", "headers", "statuses"),
    [
        (0, ["192.0.2.1", "192.0.2.2", ""], [201, 429, 429]),
        (1, ["192.0.2.1", "192.0.2.1", "192.0.2.2", "203.0.113.9, 192.0.2.2"], [201, 429, 201, 429]),
        (1, ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"], [201, 429, 201]),
        (1, ["203.0.113.7, 192.0.2.1", "203.0.113.8, 192.0.2.1"], [201, 429]),
        (
            2,
            [
                "192.0.2.1, 10.0.0.1",
                "192.0.2.1, 10.0.0.2",
                "192.0.2.2, 10.0.0.1",
                "9.9.9.9, 192.0.2.2, 10.0.0.1",
            ],
            [201, 429, 201, 429],
        ),
    ],
)
def test_one_clients_limit_is_not_anothers_and_nobody_borrows_an_address(
    build_house: Any, proxies: int, headers: list[str], statuses: list[int]
) -> None:
    house = build_house(posts=ONE, proxies=proxies)
    replies = [
        house.client.json("/api/tickets", TICKET, **({"X_Forwarded_For": said} if said else {}))
        for said in headers
    ]
    assert [reply.status for reply in replies] == statuses


def test_who_has_signed_in_has_one_limit_wherever_they_are(build_house: Any) -> None:
    house = build_house(posts=ONE, proxies=1)
    secret = house.sign_in("ann@example.gov")
    cookie = {"Cookie": f"__Host-session={secret}"}
    statuses = [
        house.client.json("/api/tickets", TICKET, X_Forwarded_For=client, **said).status
        for client, said in (
            ("192.0.2.1", cookie),
            ("192.0.2.2", cookie),
            ("192.0.2.3", {}),
            ("192.0.2.4", {"Cookie": "__Host-session=invented"}),
        )
    ]
    assert statuses == [201, 429, 201, 201]


def test_guessing_keys_is_slowed_and_using_them_is_not(build_house: Any) -> None:
    """Promise 9: guessing is slowed with 429 and Retry-After; promise 27: the limit is named."""
    many = Allowance(burst=1000, per_minute=9)
    house = build_house(wrong_keys=Guessing(client=many, pair=Allowance(burst=3, per_minute=1), account=MANY))
    right = {"agreement": "AZ-1001", "key": house.keys["AZ-1001"]}
    assert [house.client.json("/api/renewals", right).status for _ in range(5)] == [200] * 5
    wrong = {"agreement": "AZ-1001", "key": "WRONG"}
    assert [house.client.json("/api/renewals", wrong).status for _ in range(5)] == [404] * 3 + [429] * 2
    reply = house.client.json("/api/downloads", {**right, "product": "widget", "version": "2.0", "file": "x"})
    wait = int(reply.headers["retry-after"])
    assert reply.json == {
        "type": PROBLEM_TYPES + "TooMany",
        "title": "Too many attempts",
        "status": 429,
        "detail": "Too many wrong keys came from your connection; the limit is 1,000 at once, then 9 a "
        f"minute, for one agreement 3 at once, then 1 a minute. Wait {wait} seconds and try again; nothing "
        "is locked.",
    }
    other = {"agreement": "AZ-1002", "key": house.keys["AZ-1002"]}
    assert house.client.json("/api/renewals", other).status == 200
    page = house.client.form("/api/renewals", right)
    assert (page.status, "retry-after" in page.headers) == (429, True)
    assert lxml.html.fromstring(page.text).xpath("//*[@id='error-summary']/h2")[0].text == "Too many attempts"


def test_an_agreement_that_strangers_guess_at_stays_open_to_its_owner(build_house: Any) -> None:
    slowly = Allowance(burst=100, per_minute=1)
    house = build_house(wrong_keys=Guessing(client=MANY, pair=slowly, account=ONE), proxies=1)
    wrong, right = ({"agreement": "AZ-1001", "key": key} for key in ("WRONG", house.keys["AZ-1001"]))
    statuses = [
        house.client.json("/api/renewals", said, X_Forwarded_For=client).status
        for client, said in (
            ("203.0.113.1", wrong),
            ("203.0.113.1", wrong),
            ("203.0.113.2", wrong),
            ("203.0.113.2", wrong),
            ("192.0.2.1", right),
            ("192.0.2.1", right),
        )
    ]
    assert statuses == [404, 429, 404, 429, 200, 200]


def test_guesses_at_an_agreement_that_does_not_exist_are_slowed_alike(build_house: Any) -> None:
    house = build_house(wrong_keys=Guessing(client=MANY, pair=ONE, account=MANY))
    for number in ("AZ-1001", "AZ-9999"):
        asked = {"agreement": number, "key": "WRONG"}
        assert [house.client.json("/api/renewals", asked).status for _ in range(2)] == [404, 429]


@pytest.mark.parametrize(
    ("source", "forwarded", "proxies", "client"),
    [
        ("192.0.2.1", "192.0.2.1", 0, "192.0.2.1"),
        ("192.0.2.1", "9.9.9.9, 192.0.2.1", 0, "192.0.2.1"),
        ("10.0.0.1", "9.9.9.9, 192.0.2.1, 10.0.0.1", 1, "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1", 1, "192.0.2.1"),
        ("10.0.0.1", "10.0.0.1", 1, "10.0.0.1"),
    ],
)
def test_on_api_gateway_the_client_is_whom_it_saw_or_cloudfront_in_front_of_it_saw(
    source: str, forwarded: str, proxies: int, client: str
) -> None:
    """API Gateway names its peer and adds it to the header too; CloudFront in front is one proxy."""
    assert _client({"identity": {"sourceIp": source}}, forwarded, proxies) == client


def test_the_gateway_of_one_machine_says_whom_it_saw_as_api_gateway_does() -> None:
    gateway = Gateway(lambda event, context: {}, ["/api/health"])
    environ = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/api/health", "REMOTE_ADDR": "192.0.2.1"}
    assert gateway.event(environ, b"")["headers"] == {"x-forwarded-for": "192.0.2.1"}
    event = gateway.event({**environ, "HTTP_X_FORWARDED_FOR": "9.9.9.9"}, b"")
    assert event["headers"] == {"x-forwarded-for": "9.9.9.9, 192.0.2.1"}
    assert event["requestContext"]["identity"]["sourceIp"] == "192.0.2.1"


def test_the_number_of_proxies_is_a_setting() -> None:
    assert Settings.read({}).proxies == 0
    assert Settings.read({"SUPPORT_PROXIES": "2"}).proxies == 2
    for wrong in ("-1", "one", "10", "²"):
        with pytest.raises(SettingTrouble) as caught:
            Settings.read({"SUPPORT_PROXIES": wrong})
        assert str(caught.value) == (
            "SUPPORT_PROXIES must be how many proxies of yours stand in front, such as 1 for CloudFront, "
            f"not '{wrong}'"
        )
