"""Renewals, downloads and updates: what is yours, and nothing about what is not."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from chalicelib.refusals import Expired, Forbidden, Invalid, NotAvailable, NotEntitled, NotFound


def test_a_renewal_says_state_dates_and_reasons(world: Any) -> None:
    world.keep(world.agreement())
    assert world.desk.look_up("US-1", world.key).as_json() == {
        "agreement": "US-1",
        "customer": "City of Example",
        "product": "cityworks",
        "product_name": "Cityworks",
        "licence": "site",
        "covered_from": "2026-03-01",
        "covered_until": "2027-02-28",
        "state": "complimentary",
        "days_left": 97,
        "newest_entitled": {"version": "24.1", "url": "/releases/cityworks/24.1/", "released": "2026-06-01"},
        "because": [
            "A site license is supported without charge for 1 year from its start (policy/support.md:5): "
            "2026-03-01 to 2027-02-28.",
            "Today, 2026-11-23, is covered until 2027-02-28, that day included.",
            "A current agreement gives every release of its product.",
            "Today, 2026-11-23, is covered: 2026-03-01 to 2027-02-28.",
        ],
        "rule": "current agreement",
        "compared": {"today": "2026-11-23", "covered_from": "2026-03-01", "covered_until": "2027-02-28"},
        "would_change": "",
    }


def test_a_key_may_be_typed_as_people_type(world: Any) -> None:
    world.keep(world.agreement())
    world.desk.look_up(" US-1 ", f" {world.key.lower().replace('-', ' ')} ")


def test_unknown_wrong_and_withdrawn_are_refused_alike(world: Any) -> None:
    world.keep(
        world.agreement(),
        world.agreement(agreement="US-2", withdrawn=date(2026, 11, 23)),
        world.agreement(agreement="US-3"),
    )
    world.desk.store.set_key("US-3", "", world.now)
    said = set()
    for number, key in (("US-1", "wrong"), ("US-9", world.key), ("US-2", world.key), ("US-3", "-")):
        for ask in (
            lambda n, k: world.desk.look_up(n, k),
            lambda n, k: world.desk.download(n, k, "cityworks", "24", ""),
            lambda n, k: world.desk.updates("cityworks", "24", n, k),
        ):
            with pytest.raises(NotFound) as refused:
                ask(number, key)
            said.add((refused.value.status, refused.value.title, refused.value.detail, refused.value.because))
    assert len(said) == 1


class Counted:
    """A store and a catalog that write down what is asked of them."""

    def __init__(self, inner: Any, asked: list[str]) -> None:
        self._inner, self._asked = inner, asked

    def __getattr__(self, name: str) -> Any:
        self._asked.append(name)
        return getattr(self._inner, name)

    def __call__(self) -> Any:
        self._asked.append("catalog")
        return self._inner()


@pytest.mark.parametrize("number", ["US-1", "US-9"])
@pytest.mark.parametrize("key", ["", "  "])
def test_without_a_key_and_a_sign_in_it_is_said_what_is_missing_whatever_the_number(
    world: Any, number: str, key: str
) -> None:
    world.keep(world.agreement())
    for ask in (
        lambda: world.desk.look_up(number, key),
        lambda: world.desk.download(number, key, "cityworks", "24", ""),
        lambda: world.desk.updates("cityworks", "24", number, key),
    ):
        with pytest.raises(Invalid) as refused:
            ask()
        (problem,) = refused.value.fields
        told = "Enter the key of your agreement, or sign in and leave it empty."
        assert (problem.field, problem.message) == ("key", told)


def test_promise_9_whatever_is_wrong_costs_the_same_work(world: Any) -> None:
    """Wrong key, unknown, withdrawn, that has no key, with two keys: the same is read, in the same order."""
    world.keep(
        world.agreement(),
        world.agreement(agreement="US-2", withdrawn=date(2026, 11, 23)),
        world.agreement(agreement="US-3"),
        world.agreement(agreement="US-4"),
    )
    world.desk.store.set_key("US-3", "", world.now)
    world.desk.store.set_key("US-4", "another", world.now, old_until=world.now.replace(year=2027))
    work = []
    for number, key in (
        ("US-1", "wrong"),
        ("US-9", world.key),
        ("US-2", world.key),
        ("US-3", world.key),
        ("US-4", "wrong"),
    ):
        asked: list[str] = []
        lookups = replace(
            world.desk.lookups,
            store=Counted(world.desk.store, asked),
            catalog=Counted(world.desk.catalog, asked),
        )
        with pytest.raises(NotFound):
            lookups.look_up(number, key)
        work.append(asked)
    assert work == [["catalog", "key_hashes", "agreement"]] * 5


def test_without_a_catalog_a_right_and_a_wrong_key_are_refused_alike(world: Any) -> None:
    world.keep(world.agreement())
    lookups = world.started(SUPPORT_CATALOG="/nowhere/catalog.json").lookups
    said = set()
    for number, key in (("US-1", world.key), ("US-1", "wrong"), ("US-9", world.key)):
        with pytest.raises(NotAvailable) as refused:
            lookups.look_up(number, key)
        said.add(refused.value.detail)
    assert len(said) == 1


def test_an_agreement_is_withdrawn_from_its_day_in_the_vendors_zone(world: Any) -> None:
    world.keep(world.agreement(withdrawn=date(2026, 11, 24)))
    world.pass_(hours=13, minutes=59)
    world.desk.look_up("US-1", world.key)
    world.pass_(minutes=1)
    with pytest.raises(NotFound):
        world.desk.look_up("US-1", world.key)


def test_a_link_delivers_the_published_bytes_for_five_minutes(world: Any) -> None:
    world.keep(world.agreement())
    world.release_files()
    answer = world.desk.download("US-1", world.key, "cityworks", "24", "")
    assert answer.expires.isoformat() == "2026-11-23T10:05:00-07:00"
    word = answer.url.removeprefix("https://support.example.com/files/")
    served = world.desk.files.served(word, world.now)
    assert hashlib.sha256(served.path.read_bytes()).hexdigest() == answer.sha256
    assert (served.name, served.size) == ("cityworks-24.txt", answer.size)
    world.pass_(minutes=5, seconds=-1)
    world.desk.files.served(word, world.now)
    world.pass_(seconds=1)
    with pytest.raises(Expired):
        world.desk.files.served(word, world.now)


def test_any_changed_character_of_a_link_is_refused(world: Any) -> None:
    world.keep(world.agreement())
    world.release_files()
    word = world.desk.download("US-1", world.key, "cityworks", "24", "").url.rpartition("/")[2]
    assert "US-1" not in word
    for at in range(len(word)):
        for other in ("A", "B", "=", "."):
            changed = word[:at] + other + word[at + 1 :]
            if changed != word:
                with pytest.raises(Forbidden):
                    world.desk.files.served(changed, world.now)
    for changed in (f"{word}=", f"{word}\n", word + "A", word[:-1], "", "é"):
        with pytest.raises(Forbidden):
            world.desk.files.served(changed, world.now)


def test_a_link_of_another_secret_is_refused(world: Any) -> None:
    world.keep(world.agreement())
    world.release_files()
    word = world.desk.download("US-1", world.key, "cityworks", "24", "").url.rpartition("/")[2]
    other = world.started(SUPPORT_SECRET="another secret of ours")
    with pytest.raises(Forbidden):
        other.files.served(word, world.now)


def test_a_lapsed_agreement_is_told_why(world: Any) -> None:
    world.keep(world.agreement(starts=date(2023, 1, 1)))
    world.release_files()
    assert world.desk.download("US-1", world.key, "cityworks", "15.8", "").file == "cityworks-15.8.txt"
    with pytest.raises(NotEntitled) as refused:
        world.desk.download("US-1", world.key, "cityworks", "24", "")
    assert refused.value.detail == "Agreement US-1 does not give 24."
    assert refused.value.because[-1] == "24 was released on 2026-02-28, in no covered period."
    assert refused.value.would_change.startswith("Renewing the agreement would give it")


def test_a_file_that_is_not_the_published_one_is_not_linked(world: Any, tmp_path: Any) -> None:
    world.keep(world.agreement())
    with pytest.raises(NotAvailable, match=r"^The file is not here at the moment"):
        world.desk.download("US-1", world.key, "cityworks", "24", "")
    world.release_files()
    where = tmp_path / "var" / "files" / "releases" / "cityworks" / "24" / "cityworks-24.txt"
    where.write_bytes(where.read_bytes().replace(b"SAMPLE", b"PIMPLE"))
    with pytest.raises(NotAvailable, match=r"^The file here is not the one that was published"):
        world.desk.download("US-1", world.key, "cityworks", "24", "")


@pytest.mark.parametrize(
    ("product", "version", "file", "field", "message"),
    [
        ("x", "1", "", "product", "There is no such product. Choose one of cityworks, storeroom."),
        ("cityworks", "9", "", "version", "There is no such version of Cityworks. The newest is 24.1."),
        (
            *("cityworks", "23", "", "file"),
            "Choose one of the files of 23: cityworks-23.txt, companion-23.txt.",
        ),
        ("storeroom", "1", "", "version", "1 has no file to download. Its page says how to get it."),
        ("cityworks", " ", "", "version", "Choose a version."),
    ],
)
def test_what_cannot_be_downloaded(
    world: Any, product: str, version: str, file: str, field: str, message: str
) -> None:
    world.keep(world.agreement())
    with pytest.raises(Invalid) as refused:
        world.desk.download("US-1", world.key, product, version, file)
    assert [(one.field, one.message) for one in refused.value.fields] == [(field, message)]


def test_updates_know_newest_entitled_and_support(world: Any) -> None:
    world.keep(world.agreement(starts=date(2025, 3, 1)))
    answer = world.desk.updates("cityworks", "23.4", "US-1", world.key)
    assert answer.newest.version == "24.1"
    assert answer.newest_entitled is not None
    assert answer.newest_entitled.version == "24"
    assert (answer.supported, answer.supported_until) == (True, date(2027, 2, 28))
    past = world.desk.updates("cityworks", "15.8.9")
    assert (past.supported, past.newest_entitled) == (False, None)
    open_end = world.desk.updates("cityworks", "24")
    assert (open_end.supported_until, open_end.earliest_end) == (None, date(2027, 11, 23))


def test_support_ends_after_its_last_day(world: Any) -> None:
    world.pass_(days=97, hours=13)
    assert world.now.isoformat() == "2027-03-01T06:00:00+00:00"
    assert world.desk.updates("cityworks", "23.4").supported
    world.pass_(hours=1)
    assert not world.desk.updates("cityworks", "23.4").supported


def test_pages_of_answers_end_and_follow_a_withdrawal(world: Any) -> None:
    world.keep(world.agreement())
    world.release_files()
    renewal = world.desk.lookups.renewal_page("US-1", world.key)
    download = world.desk.lookups.download_page("US-1", world.key, "cityworks", "24", "")
    assert world.key not in renewal + download
    world.pass_(minutes=9)
    assert world.desk.lookups.renewal_on_page(renewal).agreement == "US-1"
    assert world.desk.lookups.download_on_page(download).expires.isoformat() == "2026-11-23T10:14:00-07:00"
    with pytest.raises(Forbidden):
        world.desk.lookups.renewal_on_page(download)
    world.desk.store.withdraw("US-1", date(2026, 11, 23))
    with pytest.raises(NotFound):
        world.desk.lookups.download_on_page(download)
    world.pass_(minutes=1)
    with pytest.raises(Expired):
        world.desk.lookups.renewal_on_page(renewal)


def test_a_release_of_tomorrow_is_neither_newest_nor_given(world: Any) -> None:
    world.keep(world.agreement())
    world.now = world.now.replace(month=5)
    assert world.desk.updates("cityworks", "24").newest.version == "24"
    with pytest.raises(NotEntitled) as refused:
        world.desk.download("US-1", world.key, "cityworks", "24.1", "")
    assert refused.value.because == ("24.1 is released on 2026-06-01; today is 2026-05-23.",)
    assert replace(world.agreement(), seats=None) == world.agreement()
