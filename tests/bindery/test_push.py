"""A push to main is the publication: real git, real hooks, over a local path, with a small build."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import random
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bindery import origin, publications, publish

RECEIVER = Path(__file__).with_name("push_receiver.py")
COMMAND = f"{shlex.quote(sys.executable)} {shlex.quote(str(RECEIVER))}"
URL = "https://support.example"


def small_build() -> Callable[..., None]:
    spec = importlib.util.spec_from_file_location("push_receiver", RECEIVER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    build: Callable[..., None] = module.build
    return build


def server(path: Path, *, url: str | None = URL) -> list[str]:
    """`bindery server PATH`: what it says."""
    said: list[str] = []
    here = origin.Origin(
        path=path,
        build=small_build(),
        environ=os.environ,
        clock=lambda: datetime.now(UTC),
        say=said.append,
    )
    origin.establish(here, command=COMMAND, url=url)
    return said


def git(clone: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always"]
    return subprocess.run(
        ["git", *who, *arguments],
        cwd=clone,
        check=check,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def make_clone(path: Path, files: dict[str, str]) -> Path:
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--initial-branch=main")
    commit(path, files, "The first")
    return path


def commit(clone: Path, files: dict[str, str | None], message: str = "A change") -> str:
    for name, text in files.items():
        if text is None:
            (clone / name).unlink()
        else:
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            (clone / name).write_text(text)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", message)
    return git(clone, "rev-parse", "HEAD").stdout.strip()


def push(clone: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return git(clone, "push", *arguments, str(path / "site.git"), "main", check=False)


def remote(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line[8:].rstrip() for line in done.stdout.splitlines() if line.startswith("remote: ")]


def tree(root: Path) -> dict[str, str]:
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def page(path: Path, name: str = "") -> str:
    return (path / "current" / "public" / name / "index.html").read_text().split("|")[0]


FIRST = {"content/index.md": "one", "content/help/a.md": "a", "site/style.css": "red"}


@pytest.mark.slow
def test_the_first_push_makes_the_site_and_tells_where_it_is(tmp_path: Path) -> None:
    assert server(tmp_path / "srv") == [
        f"made {tmp_path}/srv/site.git",
        f"publish with: git push {tmp_path}/srv/site.git main",
        f"serve with:   desk serve --public {tmp_path}/srv/current/public",
        f"what is due:  {tmp_path}/srv/due publishes it; desk serve calls it by itself",
    ]
    clone = make_clone(tmp_path / "clone", FIRST)
    head = git(clone, "rev-parse", "HEAD").stdout.strip()

    done = push(clone, tmp_path / "srv")

    assert done.returncode == 0, done.stdout
    here = publications.current(publications.Folder(path=tmp_path / "srv"))
    assert here is not None
    assert here.commit == publications.Commit(id=head, author="Ada", subject="The first")
    assert remote(done) == [
        f"checking and building {head[:10]} …",
        f"published {here.id}",
        "  added   https://support.example/",
        "  added   https://support.example/help/a/",
        "  and 2 other files (feeds, data, mails)",
        "The site is at https://support.example",
    ]
    assert page(tmp_path / "srv") == "one"


@pytest.mark.slow
def test_a_push_tells_which_pages_it_added_changed_and_removed(tmp_path: Path) -> None:
    server(tmp_path / "srv")
    clone = make_clone(tmp_path / "clone", FIRST)
    push(clone, tmp_path / "srv")
    commit(clone, {"content/index.md": "two", "content/help/a.md": None, "content/help/b.md": "b"})

    done = push(clone, tmp_path / "srv")

    assert remote(done)[2:] == [
        "  added   https://support.example/help/b/",
        "  changed https://support.example/",
        "  removed https://support.example/help/a/",
        "  and 1 other file (feeds, data, mails)",
        "The site is at https://support.example",
    ]
    assert not (tmp_path / "srv/work/content/help/a.md").exists()


@pytest.mark.slow
def test_a_push_with_broken_files_names_every_problem_and_changes_nothing(tmp_path: Path) -> None:
    server(tmp_path / "srv")
    clone = make_clone(tmp_path / "clone", FIRST)
    push(clone, tmp_path / "srv")
    before = tree(tmp_path / "srv")
    broken: dict[str, str | None] = {f"content/help/bad{number}.md": "BROKEN" for number in range(3)}
    commit(clone, {**broken, "content/index.md": "BROKEN too", "content/help/a.md": None})

    done = push(clone, tmp_path / "srv")

    assert done.returncode == 1
    assert remote(done)[1:] == [
        "content/help/bad0.md:1: 'title' must not be BROKEN",
        "content/help/bad1.md:1: 'title' must not be BROKEN",
        "content/help/bad2.md:1: 'title' must not be BROKEN",
        "content/index.md:1: 'title' must not be BROKEN",
        "Nothing was published: 4 problems. Mend and push again.",
    ]
    assert "[remote rejected] main -> main (pre-receive hook declined)" in done.stdout
    assert tree(tmp_path / "srv") == before

    commit(clone, {**dict.fromkeys(broken, "mended"), "content/index.md": "two"})
    assert push(clone, tmp_path / "srv").returncode == 0
    assert page(tmp_path / "srv") == "two"
    assert page(tmp_path / "srv", "help/bad0") == "mended"


@pytest.mark.slow
def test_a_first_push_that_is_broken_leaves_an_empty_server(tmp_path: Path) -> None:
    server(tmp_path / "srv")
    before = set(tree(tmp_path / "srv"))
    clone = make_clone(tmp_path / "clone", {**FIRST, "content/index.md": "BROKEN"})
    assert push(clone, tmp_path / "srv").returncode == 1
    assert set(tree(tmp_path / "srv")) - before == {"work/.lock"}

    no_site = make_clone(tmp_path / "other", {"content/index.md": "one"})
    assert remote(push(no_site, tmp_path / "srv")) == [
        "The commit has no folder site/: the bindery builds content/ with site/",
        "Nothing was published.",
    ]


@pytest.mark.slow
def test_a_build_that_crashes_publishes_nothing(tmp_path: Path) -> None:
    server(tmp_path / "srv")
    clone = make_clone(tmp_path / "clone", FIRST)
    push(clone, tmp_path / "srv")
    before = tree(tmp_path / "srv" / "current" / "public")
    commit(clone, {"content/help/a.md": "CRASH"})

    done = push(clone, tmp_path / "srv")

    assert done.returncode == 1
    assert remote(done)[-2:] == [
        "RuntimeError: the build has a bug",
        "Nothing was published: the bindery itself failed, as above.",
    ]
    assert tree(tmp_path / "srv" / "current" / "public") == before
    commit(clone, {"content/help/a.md": "sound"})
    assert push(clone, tmp_path / "srv").returncode == 0
    assert page(tmp_path / "srv", "help/a") == "sound"


@pytest.mark.slow
def test_main_is_neither_deleted_nor_rewritten_and_other_branches_are_only_kept(tmp_path: Path) -> None:
    server(tmp_path / "srv")
    clone = make_clone(tmp_path / "clone", FIRST)
    commit(clone, {"content/index.md": "two"})
    push(clone, tmp_path / "srv")
    before = tree(tmp_path / "srv")

    deleted = git(clone, "push", str(tmp_path / "srv/site.git"), ":main", check=False)
    assert deleted.returncode == 1
    assert remote(deleted) == [
        "main cannot be deleted: it is the site. Push a commit that changes it instead.",
        "Nothing was published.",
    ]
    git(clone, "reset", "--quiet", "--hard", "HEAD~1")
    commit(clone, {"content/index.md": "other"})
    forced = push(clone, tmp_path / "srv", "--force")
    assert forced.returncode == 1
    assert remote(forced) == [
        "main only grows: this push would drop commits that are published. "
        "Fetch and rebase first, or take a commit back with git revert.",
        "Nothing was published.",
    ]
    assert tree(tmp_path / "srv") == before

    branch = git(clone, "push", str(tmp_path / "srv/site.git"), "HEAD:draft", check=False)
    assert branch.returncode == 0
    assert remote(branch) == ["draft is kept here and not published: only main is."]
    assert tree(tmp_path / "srv" / "current") == {
        name.removeprefix(f"{Path(before['current'])}/"): digest
        for name, digest in before.items()
        if name.startswith(f"{before['current']}/")
    }


@pytest.mark.slow
def test_pushed_code_never_runs_and_a_link_out_of_the_repository_is_only_text(tmp_path: Path) -> None:
    server(tmp_path / "srv")
    clone = make_clone(tmp_path / "clone", FIRST)
    (tmp_path / "secret.md").write_text("secret")
    (clone / "content/leak.md").symlink_to(tmp_path / "secret.md")
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')"
    commit(
        clone, {"build/bindery/__init__.py": trap, "bindery/__init__.py": trap, "content/bindery.py": trap}
    )

    assert push(clone, tmp_path / "srv").returncode == 0
    assert page(tmp_path / "srv", "leak") == str(tmp_path / "secret.md")
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "srv/work/build").exists()


@pytest.mark.slow
def test_a_lock_that_a_killed_git_left_is_removed_after_a_minute(tmp_path: Path) -> None:
    server(tmp_path / "srv")
    clone = make_clone(tmp_path / "clone", FIRST)
    lock = tmp_path / "srv/site.git/refs/heads/main.lock"
    lock.touch()
    assert remote(push(clone, tmp_path / "srv"))[0] == (
        "Another push is being finished, or was killed: push again in a minute."
    )
    os.utime(lock, (0, 0))
    done = push(clone, tmp_path / "srv")
    assert done.returncode == 0
    assert remote(done)[0] == "removed refs/heads/main.lock: a push was killed here"


@pytest.mark.slow
def test_server_again_renews_the_hooks_and_publishes_what_main_holds(tmp_path: Path) -> None:
    server(tmp_path / "srv")
    clone = make_clone(tmp_path / "clone", FIRST)
    for hook in origin.HOOKS:
        (tmp_path / "srv/site.git/hooks" / hook).unlink()
    push(clone, tmp_path / "srv")
    assert not (tmp_path / "srv/current").exists()

    said = server(tmp_path / "srv", url=None)

    assert said[0].startswith("checking and building ")
    assert (tmp_path / "srv/current/public/index.html").read_text().endswith(f"|{URL}")
    before = tree(tmp_path / "srv")
    server(tmp_path / "srv", url=None)
    assert tree(tmp_path / "srv") == before
    commit(clone, {"content/index.md": "two"})
    assert push(clone, tmp_path / "srv").returncode == 0
    assert page(tmp_path / "srv") == "two"


@pytest.mark.slow
def test_a_rollback_stands_until_the_next_push(tmp_path: Path) -> None:
    server(tmp_path / "srv")
    clone = make_clone(tmp_path / "clone", FIRST)
    push(clone, tmp_path / "srv")
    one = tree(tmp_path / "srv/current/public")
    two = commit(clone, {"content/index.md": "two"})
    push(clone, tmp_path / "srv")

    publish.rollback(publications.Folder(path=tmp_path / "srv"), None, now=datetime.now(UTC))
    assert tree(tmp_path / "srv/current/public") == one
    assert server(tmp_path / "srv")[0] == (
        f"main holds {two[:10]}, and the site was rolled back from it: that stands."
    )
    assert page(tmp_path / "srv") == "one"
    commit(clone, {"content/help/a.md": "b"})
    assert push(clone, tmp_path / "srv").returncode == 0
    assert page(tmp_path / "srv") == "two"


@pytest.mark.slow
def test_a_reader_during_twenty_pushes_sees_neither_a_hole_nor_a_mix(tmp_path: Path) -> None:
    """Promise 23: the old site or the new one, never a mix."""
    server(tmp_path / "srv")
    clone = make_clone(tmp_path / "clone", FIRST)
    push(clone, tmp_path / "srv")
    stop, faults, seen = threading.Event(), [], set()

    def look() -> None:
        pointer = tmp_path / "srv/current/public"
        while not stop.is_set():
            root = pointer.resolve()  # as the desk does, once a request
            try:
                word, asset, _ = (root / "index.html").read_text().split("|")
                if (root / "data/catalog.json").read_text() != word:
                    faults.append(f"mix at {word}")
                (pointer / asset[1:]).read_text()
                seen.add(word)
            except FileNotFoundError as gone:
                faults.append(str(gone))

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(20):
        commit(clone, {"content/index.md": f"word {number}", "site/style.css": f"style {number}"})
        assert push(clone, tmp_path / "srv").returncode == 0
    stop.set()
    reader.join()
    assert faults == []
    assert len(seen) > 15


@pytest.mark.slow
def test_pushes_at_the_same_time_wait_and_the_site_is_what_main_holds(tmp_path: Path) -> None:
    server(tmp_path / "srv")
    first = make_clone(tmp_path / "first", {**FIRST, "content/slow.md": "SLOW"})
    push(first, tmp_path / "srv")
    clones = []
    for number in range(4):
        clone = tmp_path / f"clone{number}"
        git(tmp_path, "clone", "--quiet", str(first), str(clone))
        commit(clone, {"content/index.md": f"by {number}"})
        clones.append(clone)
    done: list[subprocess.CompletedProcess[str]] = []
    threads = [
        threading.Thread(target=lambda clone=clone: done.append(push(clone, tmp_path / "srv")))  # type: ignore[misc]
        for clone in clones
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(each.returncode for each in done) == [0, 1, 1, 1]
    folder = publications.Folder(path=tmp_path / "srv")
    here = publications.current(folder)
    assert here is not None
    assert here.commit is not None
    assert here.commit.id == git(tmp_path / "srv/site.git", "rev-parse", "main").stdout.strip()
    assert publications.damage(folder, here.id) == []


@pytest.mark.slow
def test_a_push_killed_at_any_instant_leaves_one_whole_site_and_pushing_again_heals(tmp_path: Path) -> None:
    server(tmp_path / "srv")
    slow = {f"content/slow{number}.md": "SLOW" for number in range(4)}
    clone = make_clone(tmp_path / "clone", {**FIRST, **slow})
    push(clone, tmp_path / "srv")
    folder = publications.Folder(path=tmp_path / "srv")
    choose, moved = random.Random(13), 0  # noqa: S311

    for turn in range(14):
        was = publications.current_name(folder)
        head = commit(clone, {"content/index.md": f"turn {turn}", "content/help/a.md": str(turn)})
        pusher = subprocess.Popen(
            ["git", "push", "--quiet", str(tmp_path / "srv/site.git"), "main"],
            cwd=clone,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(choose.uniform(0.05, 1.1))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pusher.pid, signal.SIGKILL)  # git, receive-pack and the hooks, all at once
        pusher.wait()

        here = publications.current(folder)
        assert here is not None
        assert publications.damage(folder, here.id) == []
        moved += here.id != was
        main = git(tmp_path / "srv/site.git", "rev-parse", "main").stdout.strip()
        for lock in (tmp_path / "srv/site.git").rglob("*.lock"):
            os.utime(lock, (0, 0))  # as if a minute had passed
        again = push(clone, tmp_path / "srv")
        assert again.returncode == 0, again.stdout
        if main == head:
            assert here.commit is not None
            assert here.commit.id == head, "main never holds what is not served"
        assert page(tmp_path / "srv") == f"turn {turn}"
        assert page(tmp_path / "srv", "help/a") == str(turn)
    assert 0 < moved < 14


@pytest.mark.slow
def test_names_of_any_bytes_do_not_stop_a_push(tmp_path: Path) -> None:
    path, clone = tmp_path / "server", make_clone(tmp_path / "clone", FIRST)
    server(path)
    tree_id = git(clone, "rev-parse", "HEAD^{tree}").stdout.strip().encode()
    when = b"<a@b.c> 1700000000 +0000"
    made = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=clone,
        input=b"tree %s\nauthor J\xf6rg %s\ncommitter J %s\n\n\xe9\n" % (tree_id, when, when),
        capture_output=True,
        check=True,
    )
    git(clone, "reset", "--quiet", "--hard", made.stdout.decode().strip())
    assert push(clone, path).returncode == 0
    here = publications.current(publications.Folder(path=path))
    assert here is not None
    assert here.commit is not None
    assert (here.commit.author, here.commit.subject) == ("J\ufffdrg", "\ufffd")

    odd = "refs/heads/a\u2003b\u2028c\u0085d"
    done = git(clone, "push", str(path / "site.git"), f"main:{odd}", check=False)
    assert (done.returncode, "Traceback" in done.stdout) == (0, False)


def test_a_hook_reads_any_bytes_whatever_the_locale(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from bindery.cli import run; run()",
            "receive",
            str(tmp_path),
            "post-receive",
        ],
        input=b"%s %s refs/heads/\xfc\n" % (b"0" * 40, b"1" * 40),
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
