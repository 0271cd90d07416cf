"""Each store in real processes and in a whole desk: one ticket for one key, chosen by environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chalicelib import aws
from chalicelib.drafts import TicketDraft
from chalicelib.ports import Store
from chalicelib.refusals import NotStored
from chalicelib.wiring import desk


@pytest.mark.slow
def test_four_processes_with_one_key_make_one_ticket(
    open_store: Callable[[], Store], race: Callable[[str], list[list[str]]]
) -> None:
    """Promise 2: a retry is not a second ticket."""
    store = open_store()
    assert store.tickets(["open"]) == ()  # the file and the table are there before anybody races
    told = race("racer.py")
    # Each of ten keys has the same ticket in all four, and one of them opened it.
    for answers in zip(*told, strict=True):
        assert len({answer.partition(":")[0] for answer in answers}) == 1
        assert sorted(answer.partition(":")[2] for answer in answers) == [*["again"] * 3, "first"]
    assert len(store.tickets(["open"])) == 10
    assert len(store.mails(["waiting"])) == 10


@pytest.fixture(autouse=True)
def nobodys_session() -> Iterator[None]:
    """What another test told the SDK is not what these tell it."""
    aws.forget_session()
    yield
    aws.forget_session()


@pytest.mark.slow
def test_a_desk_on_dynamodb_is_chosen_by_the_environment_alone(
    dynamodb: str, new_table: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
        ("AWS_DEFAULT_REGION", "us-west-2"),
        ("AWS_ACCESS_KEY_ID", "none"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
    ):
        monkeypatch.setenv(name, value)
    environ = {"SUPPORT_STORE": f"dynamodb:{new_table()}", "SUPPORT_VAR": str(tmp_path / "var")}
    draft = TicketDraft(
        name="Ann", email="ann@example.org", kind="question", severity="P2", subject="s", description="d"
    )
    made = desk(environ)
    receipt = made.tickets.open(draft, key="one")
    again = desk(environ)
    assert again.tickets.open(draft, key="one").number == receipt.number
    assert again.tickets.read(receipt.token).subject == "s"
    made.store.close()
    again.store.close()


def test_a_table_that_cannot_be_reached_is_said_and_nothing_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
        ("AWS_DEFAULT_REGION", "us-west-2"),
        ("AWS_ACCESS_KEY_ID", "none"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
        ("AWS_MAX_ATTEMPTS", "1"),
    ):
        monkeypatch.setenv(name, value)
    made = desk({"SUPPORT_STORE": "dynamodb:none", "SUPPORT_VAR": str(tmp_path / "var")})
    with pytest.raises(NotStored):
        made.store.drop_draft("A")
    with pytest.raises(NotStored):
        made.store.ticket("A")
    assert made.health()["store"] == "cannot be reached"
    made.store.close()
