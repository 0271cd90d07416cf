"""A push moves the site and the desk's answers together: `git push` on one side, HTTP on the other."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
RELEASE = "content/releases/works/2.0.md"
STYLE = "site/assets/css/site.css"

pytestmark = pytest.mark.slow


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def commit(clone: Path) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=a@b.example")
    run(clone, "git", "add", "--all")
    run(clone, "git", *who, "commit", "--quiet", "--message", "A change")


def release_on(clone: Path, day: str) -> None:
    text = (clone / RELEASE).read_text("utf-8")
    (clone / RELEASE).write_text(re.sub("(?m)^released: .*$", f"released: {day}", text), "utf-8")


@pytest.fixture
def clone(tmp_path: Path, small: Callable[[], Path]) -> Path:
    clone = tmp_path / "clone"
    shutil.copytree(small(), clone / "content")
    shutil.copytree(ROOT / "site", clone / "site")
    run(clone, "git", "init", "--quiet", "--initial-branch=main")
    commit(clone)
    run(tmp_path, str(BIN / "bindery"), "server", str(tmp_path / "server"), "--url", "http://localhost")
    run(clone, "git", "push", "--quiet", f"{tmp_path}/server/site.git", "main")
    return clone


@pytest.fixture
def address(tmp_path: Path, clone: Path) -> Iterator[str]:
    """Where `desk serve` follows the pointer."""
    public = tmp_path / "server/current/public"
    desk = subprocess.Popen(
        [str(BIN / "desk"), "serve", "--port", "0", "--public", str(public)],
        cwd=tmp_path,
        env={**os.environ, "SUPPORT_VAR": str(tmp_path / "var")},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert desk.stderr is not None
    said = desk.stderr.readline()
    listening = re.search(r"listening on (http://\S+?)\)", said)
    assert listening, said + desk.stderr.read()
    drain = threading.Thread(target=desk.stderr.read)
    drain.start()
    yield listening[1].replace("0.0.0.0", "localhost")  # noqa: S104
    desk.terminate()
    desk.wait()
    drain.join()
    desk.stderr.close()


def get(url: str) -> str:
    with urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def page_day(address: str) -> tuple[str, str]:
    """The day that the release's page shows, and the page."""
    page = get(f"{address}/releases/works/2.0/")
    found = re.search(r'<time datetime="(2025-\d\d-\d\d)"', page)
    assert found
    return found[1], page


def catalog_day(address: str) -> str:
    catalog = json.loads(get(f"{address}/data/catalog.json"))
    return str(catalog["products"]["works"]["releases"]["2.0"]["released"])


def answered_day(address: str) -> str:
    """The day that the desk names as its reason."""
    request = Request(
        f"{address}/api/updates",
        data=json.dumps({"product": "works", "version": "2.0"}).encode(),
        headers={"Content-Type": "application/json", "Accept": "application/json"},
    )
    with urlopen(request, timeout=10) as answer:
        found = re.search(r"released on (2025-\d\d-\d\d) ", " ".join(json.load(answer)["because"]))
    assert found
    return found[1]


def test_a_push_changes_the_pages_and_the_desks_answers_together(
    clone: Path, address: str, tmp_path: Path
) -> None:
    assert (page_day(address)[0], answered_day(address)) == ("2025-02-28", "2025-02-28")
    release_on(clone, "2025-03-31")
    commit(clone)
    run(clone, "git", "push", "--quiet", f"{tmp_path}/server/site.git", "main")

    assert (page_day(address)[0], answered_day(address)) == ("2025-03-31", "2025-03-31")
    assert '"released":"2025-03-31"' in get(f"{address}/data/catalog.json")
    assert "2025-03-31" in get(f"{address}/life-cycle/")

    run(tmp_path, str(BIN / "bindery"), "rollback", f"dir:{tmp_path}/server")
    assert (page_day(address)[0], answered_day(address)) == ("2025-02-28", "2025-02-28")


def test_a_reader_during_twenty_pushes_meets_no_404_and_no_mix(
    clone: Path, address: str, tmp_path: Path
) -> None:
    stop, faults, days = threading.Event(), [], set()

    def look() -> None:
        while not stop.is_set():
            try:
                first, page = page_day(address)
                facts, (last, _) = catalog_day(address), page_day(address)
                if not first <= facts <= last:
                    faults.append(f"page {first}, catalog {facts}, page {last}")
                for asset in re.findall(r'(?:href|src)="(/assets/[^"]+)"', page):
                    get(address + asset)
                days.add(first)
            except (HTTPError, AssertionError) as fault:
                faults.append(repr(fault))

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(1, 21):
        release_on(clone, f"2025-03-{number:02}")
        with (clone / STYLE).open("a") as style:
            style.write(f"/* {number} */\n")
        commit(clone)
        run(clone, "git", "push", "--quiet", f"{tmp_path}/server/site.git", "main")
        if number % 4 == 0:  # the desk's patience with questions has limits
            assert answered_day(address) == f"2025-03-{number:02}"
    stop.set()
    reader.join()

    assert faults == []
    assert len(days) > 10
    assert page_day(address)[0] == "2025-03-20"
