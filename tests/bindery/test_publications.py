"""What stands at a target is read through a narrow protocol: who gives bytes by their path is a place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bindery import permanence, publications, publish
from bindery.permanence import ADDRESS, Ledger, Published, Trace
from bindery.publications import Folder, PublishError, Vanish

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@dataclass
class Memory:
    """A place without a disk."""

    files: dict[str, bytes] = field(default_factory=dict)
    pointer: str | None = None
    name: str = "memory:site"

    def where(self, path: str = "") -> str:
        return f"{self.name}/{path}" if path else self.name

    def get(self, path: str) -> bytes | None:
        return self.files.get(path)

    def pointed(self) -> str | None:
        return self.pointer

    def names(self) -> set[str]:
        return {path.split("/")[1] for path in self.files if path.startswith("publications/")}


def taken_over(folder: Folder) -> Memory:
    """The same publications, out of a folder."""
    files = (path for path in sorted(folder.path.rglob("*")) if path.is_file())
    return Memory(
        files={path.relative_to(folder.path).as_posix(): path.read_bytes() for path in files},
        pointer=folder.pointed(),
    )


def two_publications(tmp_path: Path) -> Folder:
    folder = Folder(path=tmp_path / "site")
    for number, word in enumerate(("one", "two")):
        page = tmp_path / word / "public" / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text(word, encoding="utf-8")
        publish.publish(folder, tmp_path / word, now=NOON + timedelta(hours=number))
    return folder


def test_any_place_that_gives_bytes_has_the_history_of_a_folder_with_the_same_files(tmp_path: Path) -> None:
    folder = two_publications(tmp_path)
    publish.rollback(folder, None, now=NOON + timedelta(hours=2))

    place = taken_over(folder)

    assert len(publications.history(place)) == 2
    assert publications.history(place) == publications.history(folder)
    assert publications.moves(place) == publications.moves(folder)
    here, left = publications.current(place), publications.rolled_back_from(place)
    assert here is not None
    assert left is not None
    assert left.replaced == here.id
    assert (here, left) == (publications.current(folder), publications.rolled_back_from(folder))


def test_the_ledger_of_any_place_is_made_good_from_its_publications(tmp_path: Path) -> None:
    folder = two_publications(tmp_path)
    place = taken_over(folder)
    whole = publications.ledger(place)

    del place.files["ledger.json"]

    assert publications.ledger(place) == whole == publications.ledger(folder)
    assert sorted(whole.publications) == sorted(place.names())


def test_what_would_vanish_from_a_place_is_told_with_its_name() -> None:
    made = Published(names={ADDRESS: {"lists/": Trace("")}})
    known = permanence.enter(Ledger(), "first", NOON.isoformat(), made, told=True)

    for place in (Memory(), Folder(path=Path("/srv/support"))):
        with pytest.raises(Vanish) as refusal:
            publications.weigh(place, known, Published(names={}))
        assert refusal.value.lines == [
            "/lists/ (made by the build, first published on 2026-11-23) must not vanish: build again with "
            f"--against {place.name}, and it will lead to the page above it",
            "1 published name would vanish.",
        ]
    assert Folder(path=Path("/srv/support")).name == "dir:/srv/support"


def test_a_place_names_what_is_missing_and_what_is_damaged() -> None:
    place = Memory(files={"ledger.json": b"{"})

    assert (publications.current(place), publications.history(place)) == (None, ())
    with pytest.raises(PublishError) as missing:
        publications.read(place, "gone")
    assert str(missing.value) == "There is no publication 'gone' at memory:site"
    with pytest.raises(PublishError) as damaged:
        publications.ledger(place)
    assert str(damaged.value) == (
        "memory:site/ledger.json is damaged: put it back from a backup. Without one take it away: it is then "
        "made anew from the 0 publications that are still there"
    )
