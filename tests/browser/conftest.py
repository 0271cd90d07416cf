"""The site built once for all browser tests of a run, and a house: the site and a desk of its own, served."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.policy import default
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
DANA = "dana.ortiz@example.gov"


@dataclass(frozen=True)
class House:
    """`url` of the site, `public` its folder, `key` opens agreement DEMO-1, whose contact is Dana."""

    url: str
    desk: Desk
    public: Path
    key: str

    def mails(self, address: str) -> list[str]:
        """The texts of the mails to an address as they lie in the outbox's folder, the newest last."""
        while sum(self.desk.outbox.run()):
            pass
        kept = sorted(
            Path(self.desk.settings.var, "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns
        )
        sent = [message_from_bytes(path.read_bytes(), policy=default) for path in kept]
        parts = [mail.get_body(("plain",)) for mail in sent if mail["To"] == address]
        return [part.get_content() for part in parts if part is not None]

    def mailed_link(self, address: str, to: str) -> str:
        """The newest link mailed to an address that leads below a path."""
        found = re.findall(rf"{re.escape(self.url + to)}[^\s>]+", "\n".join(self.mails(address)))
        return str(found[-1])


@contextmanager
def served_desk(public: Path, folder: Path) -> Iterator[tuple[str, Desk]]:
    """A desk whose state lies in a folder, serving the site in `public`, with its downloads laid: its address
    and the desk."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environ = {
        "SUPPORT_URL": url,
        "SUPPORT_VAR": str(folder / "var"),
        "SUPPORT_CATALOG": str(public / "data" / "catalog.json"),
    }
    desk = wiring.desk(environ, lambda: NOW)
    write_files(desk.catalog(), desk.files)
    with running(Front(desk, public), port=port):
        yield url, desk
    desk.store.close()


@pytest.fixture(scope="session")
def serve() -> Callable[[Path, Path], AbstractContextManager[tuple[str, Desk]]]:
    return served_desk


@contextmanager
def kept_house(public: Path, folder: Path) -> Iterator[House]:
    """A served desk with an agreement of Dana's."""
    agreement = Agreement(
        agreement="DEMO-1",
        customer="City of Exampleville",
        stage="accepted",
        client_manager="",
        product="cityworks",
        licence="site",
        seats=None,
        starts=date(2026, 3, 1),
        contacts=(DANA,),
    )
    with served_desk(public, folder) as (url, desk):
        desk.store.import_agreements([agreement], dry_run=False)
        key = agreement_key()
        desk.store.set_key("DEMO-1", fingerprint(key), NOW)
        yield House(url, desk, public, key)


@pytest.fixture(scope="session")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from the repository's own content, with its search."""
    out = tmp_path_factory.mktemp("site") / "dist"
    binding.build(
        ROOT / "content", ROOT / "site", out, now=NOW, url="http://localhost/", cache=None, search=True
    )
    return out / "public"


@pytest.fixture(scope="module")
def house(public: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for the tests of a module."""
    with kept_house(public, tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture(scope="module")
def bare_house(public: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose site is not there, but for its facts: the desk answers with its own plain pages."""
    folder = tmp_path_factory.mktemp("bare")
    facts = folder / "public" / "data" / "catalog.json"
    facts.parent.mkdir(parents=True)
    facts.write_bytes((public / "data" / "catalog.json").read_bytes())
    with kept_house(folder / "public", folder) as made:
        yield made
