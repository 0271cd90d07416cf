"""The real site and its desk, served, for judges that are not ours."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bindery import binding
from chalicelib import wiring
from chalicelib.agreements import Agreement
from chalicelib.signing import agreement_key, fingerprint
from chalicelib.wiring import Desk
from desk.demo import write_files
from desk.server import Front, running

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
AXE = ROOT / ".venv" / "axe" / "axe.min.js"
NU = ROOT / ".venv" / "nu" / "vnu.jar"


@dataclass(frozen=True)
class Served:
    """`url` of the site, `dist` the built folder, `key` opens agreement DEMO-1."""

    url: str
    dist: Path
    desk: Desk
    key: str


def fetched(path: Path) -> Path:
    """A judge that `make test` fetches; under CI it must be there."""
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{path.name} must be there: make test fetches it")
        pytest.skip(f"{path.name} is not there: make test fetches it")
    return path


@pytest.fixture(scope="session")
def axe() -> str:
    return fetched(AXE).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def nu() -> Path:
    return fetched(NU)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("judged")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    dist = folder / "dist"
    binding.build(
        ROOT / "content", ROOT / "site", dist, now=NOW, url=url, cache=None, search=True, cards=True
    )
    environ = {
        "SUPPORT_URL": url,
        "SUPPORT_VAR": str(folder / "var"),
        "SUPPORT_CATALOG": str(dist / "public" / "data" / "catalog.json"),
    }
    desk = wiring.desk(environ, lambda: NOW)
    agreement = Agreement(
        agreement="DEMO-1",
        customer="City of Exampleville",
        stage="accepted",
        client_manager="",
        product="cityworks",
        licence="site",
        seats=None,
        starts=date(2026, 3, 1),
        contacts=("dana.ortiz@example.gov",),
    )
    desk.store.import_agreements([agreement], dry_run=False)
    key = agreement_key()
    desk.store.set_key("DEMO-1", fingerprint(key), NOW)
    write_files(desk.catalog(), desk.files)
    with running(Front(desk, dist / "public"), port=port):
        yield Served(url, dist, desk, key)
    desk.store.close()
