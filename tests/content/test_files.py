"""Files of sample releases: their bytes follow a rule, so size and checksum can be computed by anybody."""

from __future__ import annotations

import hashlib
from typing import Any

SAMPLE = (
    "SAMPLE FILE\nproduct: {product}\nversion: {version}\nname: {name}\n"
    "This stands in for a download of the demonstration site. It installs nothing.\n"
)
FILES_SINCE = "2024-11-23"


def test_size_and_checksum_are_those_of_the_bytes(releases: dict[str, Any]) -> None:
    checked = 0
    for release, text in releases.items():
        product, version = release.split("/")
        for file in text.front.get("files", []):
            data = SAMPLE.format(product=product, version=version, name=file["name"]).encode()
            assert (file["size"], file["sha256"]) == (str(len(data)), hashlib.sha256(data).hexdigest()), (
                release
            )
            assert file["name"].endswith("-sample.txt"), "a name that says what it is"
            checked += 1
    assert checked >= 8


def test_every_newer_sample_release_can_be_downloaded(releases: dict[str, Any]) -> None:
    without = [
        name
        for name, text in releases.items()
        if text.front.get("sample") == "true"
        and text.front["released"] >= FILES_SINCE
        and "files" not in text.front
    ]
    assert without == []
