"""Renewals, downloads and updates over HTTP, and the files behind signed links."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import lxml.html
import pytest

from chalicelib.answers import PROBLEM_TYPES
from chalicelib.reasons import for_readers

FILE = b"what is downloaded\n" * 400


def asked(house: Any, agreement: str = "AZ-1001", **more: str) -> dict[str, str]:
    return {"agreement": agreement, "key": house.keys[agreement], **more}


def download(house: Any, agreement: str = "AZ-1001", version: str = "2.0") -> dict[str, str]:
    return asked(house, agreement, product="widget", version=version, file="setup.zip")


def path_of(house: Any, url: str) -> str:
    assert url.startswith(house.desk.settings.url)
    return url.removeprefix(house.desk.settings.url)


def test_a_renewal_is_told_with_its_reasons(house: Any) -> None:
    reply = house.client.json("/api/renewals", asked(house))
    assert reply.status == 200
    assert reply.json == {
        "agreement": "AZ-1001",
        "customer": "City of Exampleville",
        "product": "widget",
        "product_name": "Widget",
        "licence": "site",
        "covered_from": "2026-03-01",
        "covered_until": "2027-02-28",
        "state": "complimentary",
        "days_left": 97,
        "newest_entitled": {"version": "2.0", "url": "/releases/widget/2.0/", "released": "2026-06-01"},
        "because": reply.json["because"],
        "rule": "current agreement",
        "compared": {"today": "2026-11-23", "covered_from": "2026-03-01", "covered_until": "2027-02-28"},
        "would_change": "",
    }
    assert "policy/support.md:5" in " ".join(reply.json["because"])


def test_a_number_typed_with_blanks_and_other_dashes_is_found(house: Any) -> None:
    typed = {"agreement": " AZ\u20131001 ", "key": house.keys["AZ-1001"].replace("-", " ").lower()}
    assert house.client.json("/api/renewals", typed).status == 200


def test_a_browser_is_led_to_a_page_that_shows_it_for_ten_minutes(house: Any) -> None:
    led = house.client.form("/api/renewals", asked(house))
    where = led.headers["location"]
    assert led.status == 303
    assert house.keys["AZ-1001"] not in where
    page = house.client.page(where)
    tree = lxml.html.fromstring(page.text)
    assert (page.status, page.headers["cache-control"]) == (200, "no-store")
    assert tree.xpath("//h1[@tabindex='-1'][@autofocus]")[0].text == "Agreement AZ-1001: complimentary"
    assert tree.xpath("//time/@datetime") == ["2026-03-01", "2027-02-28"]
    house.clock.now += timedelta(minutes=10)
    late = house.client.page(where)
    assert (late.status, lxml.html.fromstring(late.text).xpath("//h1")[0].text) == (
        403,
        "This link has expired",
    )


def test_a_covered_agreement_gets_a_link_that_delivers_the_published_bytes(house: Any) -> None:
    said = house.client.json("/api/downloads", download(house)).json
    assert (said["sha256"], said["size"]) == (hashlib.sha256(FILE).hexdigest(), len(FILE))
    assert said["expires"] == "2026-11-23T10:05:00-07:00"
    got = house.client.get(path_of(house, said["url"]))
    assert (got.status, got.body) == (200, FILE)
    assert got.headers["content-disposition"] == (
        "attachment; filename=\"setup.zip\"; filename*=UTF-8''setup.zip"
    )
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["content-type"] == "application/zip"


def test_a_browser_is_led_to_a_page_with_the_link(house: Any) -> None:
    led = house.client.form("/api/downloads", download(house))
    tree = lxml.html.fromstring(house.client.page(led.headers["location"]).text)
    assert tree.xpath("//h1")[0].text == "Your download of Widget 2.0"
    (link,) = tree.xpath("//a[@download]")
    assert link.text == "setup.zip"
    assert house.client.get(link.get("href")).body == FILE
    assert hashlib.sha256(FILE).hexdigest() in tree.text_content()


def test_a_lapsed_agreement_is_refused_with_the_rule_and_the_dates(house: Any) -> None:
    reply = house.client.json("/api/downloads", download(house, "AZ-1002"))
    said = reply.json
    assert (reply.status, said["type"]) == (403, PROBLEM_TYPES + "NotEntitled")
    reasons = " ".join(said["because"])
    assert "2026-06-01" in reasons
    assert "2025-12-31" in reasons
    assert "policy/support.md:5" in reasons
    assert said["would_change"]
    assert said["rule"] == "released outside cover"
    assert said["compared"] == {
        "today": "2026-11-23",
        "covered_from": "2024-01-01",
        "covered_until": "2025-12-31",
        "released": "2026-06-01",
    }
    page = house.client.form("/api/downloads", download(house, "AZ-1002"))
    shown = lxml.html.fromstring(page.text)
    assert page.status == 403
    assert [item.text for item in shown.xpath("//li")] == [for_readers(reason) for reason in said["because"]]
    assert for_readers(said["would_change"]) in shown.text_content()
    assert house.client.json("/api/downloads", download(house, "AZ-1002", "1.0")).status == 200


def test_a_changed_link_is_refused_whatever_byte_was_changed(house: Any) -> None:
    url = path_of(house, house.client.json("/api/downloads", download(house)).json["url"])
    start = len("/files/")
    for at in range(start, len(url)):
        other = "A" if url[at] != "A" else "B"
        reply = house.client.get(url[:at] + other + url[at + 1 :])
        assert reply.status == 403, at
    assert reply.json == {
        "type": PROBLEM_TYPES + "Forbidden",
        "title": "This link is not valid",
        "status": 403,
        "detail": "This link was changed on its way, or is not one of ours. Ask for a new one.",
    }


def test_an_expired_link_is_refused_with_a_page_that_offers_a_new_one(house: Any) -> None:
    url = path_of(house, house.client.json("/api/downloads", download(house)).json["url"])
    house.clock.now += timedelta(minutes=5)
    reply = house.client.page(url)
    tree = lxml.html.fromstring(reply.text)
    assert reply.status == 403
    assert tree.xpath("//h1")[0].text == "This link has expired"
    assert tree.xpath("//main//a/@href") == ["/support/download/"]
    assert house.client.get(url).json == {
        "type": PROBLEM_TYPES + "Expired",
        "title": "This link has expired",
        "status": 403,
        "detail": "The time of this link is over. Ask for a new one.",
    }


@pytest.mark.parametrize(
    ("wanted", "status", "content_range", "part"),
    [
        ("bytes=0-9", 206, "bytes 0-9/7600", FILE[:10]),
        ("bytes=7590-", 206, "bytes 7590-7599/7600", FILE[7590:]),
        ("bytes=-5", 206, "bytes 7595-7599/7600", FILE[-5:]),
        ("bytes=5-99999", 206, "bytes 5-7599/7600", FILE[5:]),
        ("bytes=-99999", 206, "bytes 0-7599/7600", FILE),
        ("bytes=7600-", 416, "bytes */7600", b""),
        ("bytes=-0", 416, "bytes */7600", b""),
        ("bytes=9-3", 416, "bytes */7600", b""),
        ("bytes=0-1,5-6", 200, None, FILE),
        ("lines=1-2", 200, None, FILE),
        ("bytes=-", 200, None, FILE),
    ],
)
def test_a_download_can_go_on_where_it_stopped(
    house: Any, wanted: str, status: int, content_range: str | None, part: bytes
) -> None:
    url = path_of(house, house.client.json("/api/downloads", download(house)).json["url"])
    reply = house.client.get(url, Range=wanted)
    assert (reply.status, reply.headers.get("content-range"), reply.body) == (status, content_range, part)


def test_updates_tell_what_is_newest_and_what_may_be_installed(house: Any) -> None:
    said = house.client.json("/api/updates", asked(house, "AZ-1002", product="widget", version="1.0")).json
    assert said["newest"]["version"] == "2.0"
    assert said["newest_entitled"]["version"] == "1.0"
    assert said["supported"] is True
    plain = house.client.json("/api/updates", {"product": "widget", "version": "1.0"}).json
    assert plain["newest_entitled"] is None
    page = house.client.form("/api/updates", {"product": "widget", "version": "1.0"})
    assert page.status == 200
    assert lxml.html.fromstring(page.text).xpath("//h1")[0].text == "Widget 1.0"


def test_an_unknown_product_is_a_field_to_mend(house: Any) -> None:
    reply = house.client.json("/api/updates", {"product": "gadget", "version": "1.0"})
    assert (reply.status, reply.json["errors"]) == (
        422,
        [{"field": "product", "message": "There is no such product. Choose one of widget."}],
    )
