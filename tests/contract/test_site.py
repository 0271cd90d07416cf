"""What the desk reads of the published site, from a folder and from a bucket; a desk lives on both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.catalog import CatalogTrouble
from chalicelib.local_site import LocalSite
from chalicelib.ports import Site
from chalicelib.s3_files import connect_aws
from chalicelib.s3_site import FRESH, S3Site

CATALOG = Path(__file__).parents[1] / "desk" / "catalog.json"


@dataclass
class Published:
    """A site, and how a publication changes it."""

    site: Site
    put: Callable[[str, bytes], None]
    setting: str
    seconds: list[float] = field(default_factory=lambda: [0.0])

    def text(self, name: str) -> str | None:
        found = self.site.file(name)
        return found.read() if found else None


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def published(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Published]:
    if request.param == "folder":

        def write(name: str, content: bytes) -> None:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)

        yield Published(LocalSite(tmp_path), write, f"{tmp_path}/data/catalog.json")
        return
    bucket, prefix, client = request.getfixturevalue("s3_place")

    def put(name: str, content: bytes) -> None:
        client.put_object(Bucket=bucket, Key=prefix + name, Body=content)

    seconds = [0.0]
    site = S3Site(connect_aws, bucket, prefix, lambda: seconds[0])
    yield Published(site, put, f"s3://{bucket}/{prefix}data/catalog.json", seconds)
    site.close()


def test_a_file_is_read_by_its_path_and_what_is_not_there_is_none(published: Published) -> None:
    published.put("support/answers/ticket.html", "<h1>größe</h1>".encode())
    assert published.text("support/answers/ticket.html") == "<h1>größe</h1>"
    assert published.text("support/answers/other.html") is None


def test_a_file_that_a_publication_changed_is_another_one(published: Published) -> None:
    published.put("a.html", b"old")
    first = published.site.file("a.html")
    again = published.site.file("a.html")
    assert first
    assert again
    assert first.mark == again.mark
    published.put("a.html", b"newer")
    published.seconds[0] += FRESH
    second = published.site.file("a.html")
    assert second
    assert (second.read(), second.mark == first.mark) == ("newer", False)
    published.put("b.html", b"appears")
    published.seconds[0] += FRESH
    assert published.text("b.html") == "appears"


def test_the_catalog_is_the_one_that_is_published(published: Published) -> None:
    desk = wiring.desk({"SUPPORT_CATALOG": published.setting})
    with pytest.raises(CatalogTrouble):
        desk.catalog_file()
    published.put("data/catalog.json", CATALOG.read_bytes())
    desk = wiring.desk({"SUPPORT_CATALOG": published.setting})
    assert desk.catalog().vendor.name == json.loads(CATALOG.read_text())["vendor"]["name"]
    assert desk.catalog() is desk.catalog()
    published.put("support/ticket/index.html", b"the form")
    site = desk.site()
    assert site
    found = site.file("support/ticket/index.html")
    assert found
    assert found.read() == "the form"
    getattr(site, "close", lambda: None)()


@pytest.mark.slow
def test_while_the_bucket_cannot_be_reached_what_was_read_last_stands(
    s3_place: tuple[str, str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, prefix, client = s3_place
    client.put_object(Bucket=bucket, Key=f"{prefix}a.html", Body=b"known")
    seconds = [0.0]
    site = S3Site(connect_aws, bucket, prefix, lambda: seconds[0])
    assert site.file("a.html")
    site.close()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    seconds[0] = FRESH
    found = site.file("a.html")
    assert found
    assert found.read() == "known"
    assert site.file("b.html") is None
    site.close()
