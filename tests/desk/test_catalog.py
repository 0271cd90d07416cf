"""The catalog is refused when it is not understood, and follows its pointer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.catalog import CatalogFile, CatalogTrouble, read

TEXT = Path(__file__).with_name("catalog.json").read_text(encoding="utf-8")


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(CatalogTrouble) as refused:
        read(json.dumps({**json.loads(TEXT), "format": 2}))
    assert str(refused.value) == (
        "the catalog has format 2, this desk reads format 1: build the site again with the bindery that "
        "belongs to this desk"
    )


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"format": 1}', TEXT.replace("12 months", "1 year").replace('"90 days"', '"soon"')],
)
def test_a_damaged_catalog_is_refused(text: str) -> None:
    with pytest.raises(CatalogTrouble):
        read(text)


def test_unknown_keys_are_ignored() -> None:
    data = json.loads(TEXT)
    data["new"] = data["vendor"]["new"] = {"x": 1}
    assert read(json.dumps(data)).vendor == read(TEXT).vendor


def test_a_flipped_pointer_is_followed(tmp_path: Path) -> None:
    for name, phone in (("1", "111"), ("2", "222")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "catalog.json").write_text(TEXT.replace("+1 555 0100", phone), encoding="utf-8")
    (tmp_path / "current").symlink_to("1")
    catalog = CatalogFile(tmp_path / "current" / "catalog.json")
    first = catalog()
    assert first.vendor.phone == "111"
    assert catalog() is first
    (tmp_path / "next").symlink_to("2")
    (tmp_path / "next").rename(tmp_path / "current")
    assert catalog().vendor.phone == "222"


def test_the_newest_release_is_of_the_newest_version_not_the_latest_day() -> None:
    ordered = [release.version for release in read(TEXT).products["cityworks"].ordered]
    assert ordered == ["15.8", "15.8.9", "23", "23.4", "24", "24.1"]
