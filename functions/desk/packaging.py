"""Makes what AWS is given: the functions as one archive, and the template that says all they need.

`chalice package` does the work; here it gets a clean copy of the functions with what they need beside it, and
its archive is made again so that the same sources give the same bytes, with every module compiled: a function
that starts cold on Lambda could not keep what it compiles. Asks AWS nothing and holds no secret.
"""

from __future__ import annotations

import importlib.util
import json
import os
import py_compile
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import chalicelib
from chalicelib.dynamodb_store import TABLE
from desk import cloud_front

FUNCTIONS = Path(chalicelib.__file__).resolve().parents[1]
REQUIREMENTS = FUNCTIONS.parent / "requirements" / "lambda.txt"
STAGE = "aws"
_PLATFORM = "manylinux2014_aarch64"
_WHEN = (1980, 1, 1, 0, 0, 0)
_ROOT = "/var/task"


class PackageTrouble(Exception):
    """A tool that is needed did not end well; the message is what it said."""


def package(out: Path) -> tuple[Path, Path]:
    """The archive and the template in `out`, a folder that is made anew. Raises PackageTrouble."""
    out = out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    project = out / "project"
    unwanted = shutil.ignore_patterns("__pycache__", "deployments", "deployed", "desk")
    shutil.copytree(FUNCTIONS, project, ignore=unwanted)
    _run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
        *("--no-deps", "--require-hashes", "--only-binary=:all:", "--platform", _PLATFORM),
        *("--target", str(project / "vendor"), "--requirement", str(REQUIREMENTS)),
        folder=out,
    )
    merged = out / "merge.json"
    merged.write_text(json.dumps(template(), indent=2) + "\n", encoding="utf-8")
    _run(
        *(str(Path(sys.executable).with_name("chalice")), "package", "--stage", STAGE),
        *("--merge-template", str(merged), str(out)),
        folder=project,
    )
    archive = out / "deployment.zip"
    _made_again(archive, out / "unpacked")
    for left in (project, out / "unpacked"):
        shutil.rmtree(left)
    merged.unlink()
    return archive, out / "sam.json"


def template() -> dict[str, Any]:
    """What is merged into Chalice's own: `aws/template.json` with the table as the store wants it, and what
    stands before the pages."""
    said: dict[str, Any] = json.loads((FUNCTIONS / "aws" / "template.json").read_text(encoding="utf-8"))
    table = said["Resources"]["Table"]["Properties"]
    said["Resources"]["Table"]["Properties"] = {**json.loads(TABLE.read_text(encoding="utf-8")), **table}
    for part, more in cloud_front.template().items():
        said.setdefault(part, {}).update(more)
    return said


def _made_again(archive: Path, folder: Path) -> None:
    """The same archive with every module compiled, in the order of names and without the time of day."""
    with zipfile.ZipFile(archive) as old:
        old.extractall(folder)
    for source in sorted(folder.rglob("*.py")):
        # The archive is never written to: nobody need look whether a source has changed.
        py_compile.compile(
            str(source),
            cfile=importlib.util.cache_from_source(str(source)),
            dfile=f"{_ROOT}/{source.relative_to(folder).as_posix()}",
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    with zipfile.ZipFile(archive, "w") as new:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            new.writestr(entry, path.read_bytes(), compresslevel=9)


def _run(*command: str, folder: Path) -> None:
    # Chalice wants a region to write a template in which every region's name is left open.
    environ = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise PackageTrouble(
            f"{' '.join(command[1:4])} did not end well:\n{done.stdout}{done.stderr}".rstrip()
        )
