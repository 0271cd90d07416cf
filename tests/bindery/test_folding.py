"""Fields that stay folded until somebody asks: nobody can tell such an item from another."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest

from bindery import memory
from bindery.kinds.release import Release
from bindery.library import Library


@pytest.fixture
def release(shelved: Callable[..., Library]) -> Release:
    found = shelved().release("works", "1.1")
    assert found is not None
    return found


def folded(release: Release) -> Release:
    """The same as a build remembers it."""
    made = object.__new__(Release)
    for field in fields(Release):
        if field.name not in Release.FOLDED:
            object.__setattr__(made, field.name, getattr(release, field.name))
    made.fold(release.folded())
    return made


def test_a_folded_item_is_equal_to_the_one_that_it_was(release: Release) -> None:
    assert release.entries
    assert folded(release) == release
    assert release == folded(release)
    assert repr(folded(release)) == repr(release)
    assert replace(folded(release), line="3") == replace(release, line="3")
    assert copy.deepcopy(folded(release)) == release


@pytest.mark.parametrize("name", ["entries", "unnumbered"])
def test_either_field_unfolds_when_it_is_asked_for(release: Release, name: str) -> None:
    assert getattr(folded(release), name) == getattr(release, name)


def test_what_no_item_has_is_not_there(release: Release) -> None:
    for item in (release, folded(release)):
        with pytest.raises(AttributeError, match="notes"):
            item.notes  # type: ignore[attr-defined]  # noqa: B018


def test_an_item_that_was_folded_again_unfolded_is_folded_once_more(release: Release) -> None:
    again = folded(release)
    assert again.entries
    assert folded(again) == release


def test_what_is_remembered_of_releases_stays_folded(shelved: Callable[..., Library], tmp_path: Path) -> None:
    library = shelved()
    after = {item.path: ((1, 1, 1), item) for item in library.items}
    memory.keep_items(tmp_path, library.content, {}, after)

    known = memory.items(tmp_path, library.content)

    remembered = known["releases/works/1.1.md"][1]
    with pytest.raises(AttributeError):
        Release.__dict__["entries"].__get__(remembered)
    assert {path: item for path, (_, item) in known.items()} == library.by_path
