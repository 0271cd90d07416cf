"""A push of a real site: the installed bindery's own command, hooks and build."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINDERY = str(Path(sys.executable).with_name("bindery"))
RELEASE = "content/releases/works/2.0.md"

pytestmark = pytest.mark.slow


def run(folder: Path, *command: str, code: int = 0) -> list[str]:
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == code, done.stdout
    return done.stdout.splitlines()


def git(clone: Path, *command: str, code: int = 0) -> list[str]:
    return run(clone, "git", "-c", "user.name=Ada", "-c", "user.email=a@b.example", *command, code=code)


def commit(clone: Path, message: str) -> str:
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", message)
    return git(clone, "rev-parse", "--short=10", "HEAD")[0]


def push(clone: Path, server: Path, code: int = 0) -> list[str]:
    """What the server says to a push."""
    lines = git(clone, "push", str(server / "site.git"), "main", code=code)
    return [line[8:].rstrip() for line in lines if line.startswith("remote: ")]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def tree(root: Path) -> dict[str, str]:
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture
def clone(tmp_path: Path, small: Callable[[], Path]) -> Path:
    """A repository that holds only content and looks."""
    clone = tmp_path / "clone"
    shutil.copytree(small(), clone / "content")
    shutil.copytree(ROOT / "site", clone / "site")
    git(clone, "init", "--quiet", "--initial-branch=main")
    commit(clone, "The first")
    return clone


@pytest.fixture
def server(tmp_path: Path) -> Path:
    path = tmp_path / "server"
    assert run(tmp_path, BINDERY, "server", str(path), "--url", "https://support.example") == [
        f"made {path}/site.git",
        f"publish with: git push {path}/site.git main",
        f"serve with:   desk serve --public {path}/current/public",
        f"what is due:  {path}/due publishes it; desk serve calls it by itself",
    ]
    return path


def test_one_edit_is_told_page_by_page_and_history_and_rollback_know_it(clone: Path, server: Path) -> None:
    push(clone, server)
    first = tree(server / "current" / "public")
    change(clone / RELEASE, "See [", "Look at [")
    short = commit(clone, "Better words")

    said = push(clone, server)

    assert said[0] == f"checking and building {short} …"
    assert said[2:5] == [
        f"  changed https://support.example/{url}"
        for url in ("releases/works/2.0/", "upgrade/works/1.0/", "upgrade/works/1.1/")
    ]
    assert said[5].startswith("  and ")
    assert said[6:] == ["The site is at https://support.example"]
    target = f"dir:{server}"
    known = json.loads("\n".join(run(server, BINDERY, "history", target, "--json")))
    assert [(each["current"], each["commit"]["subject"]) for each in known] == [
        (True, "Better words"),
        (False, "The first"),
    ]
    shown = run(server, BINDERY, "history", target)
    assert shown[0].startswith(f"* {known[0]['id']}  ")
    assert shown[0].endswith(f"{short} Better words (Ada)")
    back = run(server, BINDERY, "rollback", target)
    assert back[0] == "  changed /releases/works/2.0/"
    assert back[4].startswith(f"rolled back from {known[0]['id']} to {known[1]['id']}, of ")
    assert tree(server / "current" / "public") == first
    run(server, BINDERY, "rollback", target, known[0]["id"])
    assert "Look at" in (server / "current/public/releases/works/2.0/index.html").read_text()


def test_a_push_with_broken_files_names_every_problem_and_changes_nothing(clone: Path, server: Path) -> None:
    push(clone, server)
    before = tree(server)
    change(clone / RELEASE, "released: 2025-02-28", "released: soon")
    change(clone / "content/help/start.md", "title: Start", "titel: Start")
    short = commit(clone, "Broken")

    said = push(clone, server, code=1)

    assert said[0] == f"checking and building {short} …"
    assert f"{RELEASE}:3: 'released' must be a date such as 2025-01-29, not 'soon'" in said
    assert (
        "content/help/start.md:2: 'titel' must be a field of a page such as 'title', not an unknown one"
        in said
    )
    assert said[-1] == f"Nothing was published: {len(said) - 2} problems. Mend and push again."
    after = tree(server)
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == set()


def test_what_a_push_publishes_is_what_a_clean_build_makes(clone: Path, server: Path, tmp_path: Path) -> None:
    push(clone, server)
    change(clone / RELEASE, "The second.", "The second one.")
    (clone / "content/help/more.md").write_text("---\ntitle: More\n---\n\nMore [help](start.md).\n")
    commit(clone, "More")
    push(clone, server)

    command = ("build", "--clean", "--out", str(tmp_path / "clean"), "--url", "https://support.example")
    run(clone, BINDERY, *command)

    assert tree(server / "current" / "public") == tree(tmp_path / "clean" / "public")
    assert tree(server / "current" / "mails") == tree(tmp_path / "clean" / "mails")


def test_a_push_that_loses_an_address_is_refused_and_may_be_forced_with_a_reason(
    clone: Path, server: Path
) -> None:
    push(clone, server)
    (clone / "content/help/start.md").unlink()
    commit(clone, "Away")

    said = push(clone, server, code=1)

    assert said[1].startswith("/help/start/ (of help/start.md, first published on ")
    assert said[2:] == [
        "1 published name would vanish.",
        "Nothing was published. Mend and push again; to let them go all the same, say why:",
        'git push -o allow-vanish="the reason" …',
    ]
    assert (server / "current/public/help/start/index.html").exists()
    git(clone, "push", "-o", "allow-vanish=A court said so", str(server / "site.git"), "main")
    assert not (server / "current/public/help/start").exists()
    (told,) = json.loads("\n".join(run(server, BINDERY, "ledger", f"dir:{server}", "--gone", "--json")))
    assert (told["name"], told["let_go"]) == ("help/start/", "A court said so")


def test_publish_makes_what_was_built_current(clone: Path, tmp_path: Path) -> None:
    run(clone, BINDERY, "build", "--url", "https://support.example")
    target = f"dir:{tmp_path / 'site'}"
    said = run(clone, BINDERY, "publish", target)
    assert said[0] == "  added   /"
    assert said[-1].startswith("published ")
    name = said[-1].split()[1]
    assert tree(tmp_path / "site/current/public") == tree(clone / "dist/public")
    assert run(clone, BINDERY, "publish", target) == [
        f"nothing changed: {name} stays current at {tmp_path / 'site'}"
    ]
    refusal = f"Error: {name} replaced nothing: name the publication to go to; there are: none"
    assert run(clone, BINDERY, "rollback", target, code=1) == [refusal]
