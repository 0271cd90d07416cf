"""`desk files`, as staff use it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from desk.cli import main
from desk.terminal import Wired

CONTENT = b"what is downloaded\n" * 100
SHA256 = hashlib.sha256(CONTENT).hexdigest()
CATALOG = Path(__file__).with_name("catalog.json")


@pytest.fixture
def run(world: Any, tmp_path: Path) -> Any:
    """The command on a site that publishes one file, in two releases."""
    catalog = json.loads(CATALOG.read_text())
    for product in catalog["products"].values():
        for version, release in product["releases"].items():
            file = {"name": "setup.zip", "size": len(CONTENT), "sha256": SHA256, "platform": "any"}
            release["files"] = [file] if version in ("23.4", "24.1") else []
    (tmp_path / "site" / "data").mkdir(parents=True)
    (tmp_path / "site" / "data" / "catalog.json").write_text(json.dumps(catalog))
    world.environ["SUPPORT_CATALOG"] = str(tmp_path / "site" / "data" / "catalog.json")

    def invoke(*arguments: str) -> Result:
        wired = Wired(world.environ, lambda environ: world.started(**environ))
        return CliRunner().invoke(main, ["files", *arguments], obj=wired)

    return invoke


def places(run: Any) -> list[str]:
    """Where the site's files belong."""
    told = json.loads(run("check", "--json").output)
    return [f"releases/{one['product']}/{one['version']}/{one['file']}" for one in told]


def test_a_file_goes_where_the_releases_that_publish_it_have_theirs(
    run: Any, world: Any, tmp_path: Path
) -> None:
    """Promise 11: you get the file we published."""
    built = tmp_path / "build output.zip"
    built.write_bytes(CONTENT)
    wanted = places(run)
    assert wanted
    assert run("put", str(built)).output == "".join(f"{place} is here now.\n" for place in wanted)
    assert run("put", str(built)).output == "".join(f"{place} is here already.\n" for place in wanted)
    for place in wanted:
        assert (tmp_path / "var" / "files" / place).read_bytes() == CONTENT
    result = run("check")
    assert (result.exit_code, result.output) == (
        0,
        f"All {len(wanted)} files that the site publishes are here.\n",
    )


def test_a_file_that_no_release_publishes_is_refused_and_nothing_is_laid(run: Any, tmp_path: Path) -> None:
    good, other = tmp_path / "good.zip", tmp_path / "setup.zip"
    good.write_bytes(CONTENT)
    other.write_bytes(b"another build")
    result = run("put", str(good), str(other))
    assert result.exit_code == 1
    sha256 = hashlib.sha256(b"another build").hexdigest()
    lines = result.output.splitlines()
    assert lines[0] == f"Error: {other}: no release publishes a file of 13 bytes with SHA-256 {sha256}"
    assert lines[1] == (
        f"  {places(run)[0].split('/')[1]} {places(run)[0].split('/')[2]} publishes one of this name, "
        f"of {len(CONTENT)} bytes with SHA-256 {SHA256}"
    )
    assert lines[-1] == "Nothing was laid."
    assert {one["state"] for one in json.loads(run("check", "--json").output)} == {"missing"}


def test_what_is_missing_or_another_is_told_with_exit_1(run: Any, tmp_path: Path) -> None:
    place = places(run)[0]
    (tmp_path / "var" / "files" / place).parent.mkdir(parents=True)
    (tmp_path / "var" / "files" / place).write_bytes(CONTENT[:-1] + b"!")
    result = run("check")
    assert result.exit_code == 1
    first, *_ = [line for line in result.output.splitlines() if "setup.zip" in line]
    assert first.split()[-1] == "another"
