"""The repository that staff push to: a push to its main is the publication.

`bindery server PATH` makes `PATH/site.git`, whose hooks call the installed bindery and never a line of what
is pushed. Git asks three times: *pre-receive* checks, builds and stages, and refuses with every problem
named; *reference-transaction* moves the pointer in the moment in which git moves main, so that main never
holds what is not served and a push that died can be pushed again; *post-receive* tells what changed.
`PATH/work` holds the checked-out content and looks, `dist` and what the build remembers, so that the next
build does only what changed. This module must not decide what a site is: `build` comes in as an argument.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import shutil
import subprocess
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bindery import publications, publish
from bindery.publications import Changes, Commit, Folder, Publication, PublishError, Vanish
from bindery.source import Problems

MAIN = "refs/heads/main"
NOTHING = "0" * 40
PARTS = ("content", "site")
HOOKS = ("pre-receive", "reference-transaction", "post-receive")
DUE = "due"
"""The script at PATH that publishes what is due. The desk that serves PATH runs it at the right moment."""
LISTED = 20
"""How many pages of each sort a push names before it counts the rest."""
LOCK_STAYS = timedelta(minutes=1)
LET_GO = "allow-vanish"
"""The push option that says why what was published may vanish: git push -o allow-vanish="court order" …"""
QUARANTINE = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
SETTINGS = {
    "core.logAllRefUpdates": "true",
    "receive.fsckObjects": "true",
    "receive.autoGC": "true",
    "receive.advertisePushOptions": "true",
}

Build = Callable[..., object]
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Update:
    """A line that git hands to a hook: what a ref held, and what it shall hold."""

    old: str
    new: str
    ref: str


@dataclass(frozen=True, kw_only=True)
class Origin:
    path: Path
    build: Build
    environ: Mapping[str, str]
    clock: Callable[[], datetime]
    say: Say

    @property
    def repository(self) -> Path:
        return self.path / "site.git"

    @property
    def work(self) -> Path:
        return self.path / "work"

    @property
    def folder(self) -> Folder:
        return Folder(path=self.path)


def establish(origin: Origin, *, command: str, url: str | None) -> None:
    """Make the repository and its folders, or renew its hooks; then publish what main holds if it is not.

    `command` is the shell's words for the installed bindery. Raises Problems when what main holds has any.
    """
    if not (origin.repository / "HEAD").exists():
        origin.work.mkdir(parents=True, exist_ok=True)
        _git(origin, "init", "--quiet", "--bare", "--initial-branch=main", str(origin.repository))
        origin.say(f"made {origin.repository}")
    origin.work.mkdir(parents=True, exist_ok=True)
    origin.folder.publications.mkdir(parents=True, exist_ok=True)
    for name, value in SETTINGS.items():
        _git(origin, "config", name, value)
    if url is not None:
        _git(origin, "config", "bindery.url", url)
    for hook in HOOKS:
        _write_hook(origin, hook, command)
    _write_script(origin.path / DUE, f"exec {command} due --publish {shlex.quote(str(origin.path))} --json")
    _catch_up(origin)
    origin.say(f"publish with: git push {origin.repository} main")
    origin.say(f"serve with:   desk serve --public {origin.folder.pointer / 'public'}")
    origin.say(f"what is due:  {origin.path / DUE} publishes it; desk serve calls it by itself")


def receive(origin: Origin, hook: str, state: str, lines: str) -> int:
    """What a hook of the repository does; `lines` is its standard input. Returns the exit code."""
    # A ref's name may hold what Python takes for a blank or a line's end; git separates by these two only.
    words = [line.split(" ", 2) for line in lines.split("\n") if line]
    updates = [Update(old=old, new=new, ref=ref) for old, new, ref in words]
    main = next((update for update in updates if update.ref == MAIN), None)
    try:
        if hook == "pre-receive":
            for update in updates:
                _tell_of_other_branch(origin, update)
            if main:
                _weigh(origin, main)
        elif hook == "reference-transaction" and main:
            if state == "prepared" and main.new != NOTHING:
                publish.make_current(origin.folder, main.new, now=origin.clock())
            elif state == "aborted" and _main(origin) != main.new:
                publish.take_back(origin.folder, main.new, now=origin.clock())
        elif hook == "post-receive" and main:
            _catch_up(origin)
            _tell_changes(origin)
    except Problems as found:
        for problem in found.problems:
            origin.say(str(problem).removeprefix(f"{origin.work}/"))  # as the path is in the commit
        count = len(found.problems)
        origin.say(f"Nothing was published: {count} problem{'s' * (count != 1)}. Mend and push again.")
        return 1
    except Vanish as refusal:
        for line in refusal.lines:
            origin.say(line)
        origin.say("Nothing was published. Mend and push again; to let them go all the same, say why:")
        origin.say(f'git push -o {LET_GO}="the reason" …')
        return 1
    except PublishError as refusal:
        origin.say(f"{refusal}")
        origin.say("Nothing was published.")
        return 1
    except Exception:
        for line in traceback.format_exc().splitlines():
            origin.say(line)
        origin.say("Nothing was published: the bindery itself failed, as above.")
        return 1
    return 0


def publish_due(origin: Origin) -> Publication | None:
    """Publish what main holds as of now, where that is something else than what is served: an embargo is
    over, a support has ended. None when there is nothing to publish, however often it is asked.

    A push that comes in between wins, and a rollback stands until the next push. Raises Problems.
    """
    left = publications.rolled_back_from(origin.folder)
    if left:
        origin.say(f"the site was rolled back from {left.id}: that stands until the next push")
        return None
    with _working(origin):
        commit_id, here = _main(origin), publications.current(origin.folder)
        if commit_id and here and here.commit and here.commit.id == commit_id:
            with _checked_out(origin, commit_id):
                _build(origin)
                made = publish.publish_again(
                    origin.folder, origin.work / "dist", over=here, now=origin.clock()
                )
            if made:
                publish.prune(origin.folder)
            return made
    if commit_id:
        _catch_up(origin)  # a push that died between its two halves
        now_here = publications.current(origin.folder)
        return now_here if now_here and (here is None or now_here.id != here.id) else None
    origin.say("nothing was pushed yet")
    return None


# Before main moves


def _weigh(origin: Origin, main: Update) -> None:
    if main.new == NOTHING:
        raise PublishError("main cannot be deleted: it is the site. Push a commit that changes it instead.")
    if main.old != NOTHING and not _is_ancestor(origin, main.old, main.new):
        raise PublishError(
            "main only grows: this push would drop commits that are published. "
            "Fetch and rebase first, or take a commit back with git revert."
        )
    _build_and_stage(origin, main.new)


def _build_and_stage(origin: Origin, commit_id: str) -> None:
    """Check, build and stage a commit; raises Problems, or PublishError, with all as it was.

    A build that dies leaves a journal of its own in `dist`, so that the next one trusts nothing of it.
    """
    _clear_dead_locks(origin)
    for part in PARTS:
        if not _has_folder(origin, commit_id, part):
            raise PublishError(f"The commit has no folder {part}/: the bindery builds content/ with site/")
    commit = _commit(origin, commit_id)
    with _working(origin):
        origin.say(f"checking and building {commit.id[:10]} …")
        with _checked_out(origin, commit_id):
            _build(origin)
            publish.stage(
                origin.folder,
                origin.work / "dist",
                now=origin.clock(),
                commit=commit,
                let_go=_let_go(origin),
            )


def _let_go(origin: Origin) -> str:
    """Why what was published may vanish with this push; "" when it may not."""
    count = int(origin.environ.get("GIT_PUSH_OPTION_COUNT") or 0)
    options = [origin.environ.get(f"GIT_PUSH_OPTION_{number}", "") for number in range(count)]
    reasons = [option.partition("=")[2].strip() for option in options if option.partition("=")[0] == LET_GO]
    if "" in reasons:
        raise PublishError(f'Say why it may vanish: git push -o {LET_GO}="the reason" …')
    return "; ".join(reasons)


def _build(origin: Origin) -> None:
    origin.build(
        origin.work / "content",
        origin.work / "site",
        origin.work / "dist",
        now=origin.clock(),
        url=_setting(origin, "bindery.url"),
        cache=origin.work / "cache",
        progress=_progress(origin.say),
        ledger=publications.ledger(origin.folder),
    )


def _clear_dead_locks(origin: Origin) -> None:
    """Git holds these for the moment in which main moves; a process killed in that moment leaves them."""
    for name in (f"{MAIN}.lock", "HEAD.lock", "packed-refs.lock"):
        lock = origin.repository / name
        with contextlib.suppress(FileNotFoundError):
            if origin.clock().timestamp() - lock.stat().st_mtime < LOCK_STAYS.total_seconds():
                raise PublishError("Another push is being finished, or was killed: push again in a minute.")
            lock.unlink()
            origin.say(f"removed {name}: a push was killed here")


@contextlib.contextmanager
def _working(origin: Origin) -> Iterator[None]:
    origin.work.mkdir(parents=True, exist_ok=True)
    with (origin.work / ".lock").open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            origin.say("another push is being built: waiting for it …")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _checked_out(origin: Origin, commit_id: str) -> Iterator[None]:
    """The content and looks of a commit in the work folder; all as it was before, when the block fails."""
    last = origin.work / ".commit"
    before = last.read_text(encoding="utf-8").strip() if last.exists() else None
    indexes = {part: _index(origin, part) for part in PARTS}
    kept = {part: index.read_bytes() for part, index in indexes.items() if index.exists()}
    for index in indexes.values():
        index.with_name(f"{index.name}.lock").unlink(missing_ok=True)  # of a git that was killed
    cache, aside = origin.work / "cache", origin.work / ".cache"
    shutil.rmtree(aside, ignore_errors=True)
    cache.mkdir(exist_ok=True)
    shutil.copytree(cache, aside, copy_function=os.link)  # second names: the build replaces, never rewrites
    try:
        for part in PARTS:
            _check_out(origin, commit_id, part)
        yield
    except BaseException:
        for part, index in indexes.items():
            if before and part in kept:
                _check_out(origin, before, part)
                index.write_bytes(kept[part])
            else:
                index.unlink(missing_ok=True)
                shutil.rmtree(origin.work / part, ignore_errors=True)
        shutil.rmtree(cache)
        aside.rename(cache)
        raise
    shutil.rmtree(aside)
    last.write_text(f"{commit_id}\n", encoding="utf-8")


def _check_out(origin: Origin, commit_id: str, part: str) -> None:
    """Only files that differ are written, so the build sees which ones did. A link is only text here."""
    folder = origin.work / part
    folder.mkdir(exist_ok=True)
    where = {"GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": str(_index(origin, part))}
    _git(
        origin,
        "-c",
        "core.symlinks=false",
        "read-tree",
        "--reset",
        "-u",
        f"{commit_id}:{part}",
        environ=where,
    )
    _git(origin, "clean", "-q", "-f", "-f", "-d", "-x", folder=folder, environ=where)


def _index(origin: Origin, part: str) -> Path:
    return origin.work / f".{part}.index"


# After main moved


def _catch_up(origin: Origin) -> None:
    """Publish what main holds, unless it is served, or staff went back from it on purpose."""
    commit_id = _main(origin)
    here = publications.current(origin.folder)
    if commit_id is None or (here and here.commit and here.commit.id == commit_id):
        return
    left = publications.rolled_back_from(origin.folder)
    if left and left.commit and left.commit.id == commit_id:
        origin.say(f"main holds {commit_id[:10]}, and the site was rolled back from it: that stands.")
        return
    if not publish.make_current(origin.folder, commit_id, now=origin.clock()):
        _build_and_stage(origin, commit_id)
        publish.make_current(origin.folder, commit_id, now=origin.clock())


def _tell_changes(origin: Origin) -> None:
    here = publications.current(origin.folder)
    if here is None:
        return
    url = (_setting(origin, "bindery.url") or "").rstrip("/")
    origin.say(f"published {here.id}")
    for line in describe(publications.changes(_earlier(origin, here), here), url=url):
        origin.say(line)
    origin.say(f"The site is at {url or origin.folder.pointer / 'public'}")
    publish.prune(origin.folder)


def describe(changes: Changes, *, url: str) -> Iterator[str]:
    """The changes, line by line: pages by their address, so that they can be looked at; the rest counted."""
    for verb, pages in (
        ("added", changes.added),
        ("changed", changes.changed),
        ("removed", changes.removed),
    ):
        for page in pages[:LISTED]:
            yield f"  {verb:8}{url}{page}"
        if len(pages) > LISTED:
            yield f"  {verb:8}and {len(pages) - LISTED:,} pages more"
    if changes.others:
        yield f"  and {changes.others:,} other file{'s' * (changes.others != 1)} (feeds, data, mails)"
    if not any((changes.added, changes.changed, changes.removed, changes.others)):
        yield "  nothing that a reader sees"


def _earlier(origin: Origin, publication: Publication) -> Publication | None:
    if publication.replaced is None:
        return None
    with contextlib.suppress(PublishError):
        return publications.read(origin.folder, publication.replaced)
    return None


def _tell_of_other_branch(origin: Origin, update: Update) -> None:
    if update.ref == MAIN or update.new == NOTHING:
        return
    name = update.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    origin.say(f"{name} is kept here and not published: only main is.")


def _progress(say: Say) -> publish.Progress:
    told: set[tuple[str, int]] = set()

    def tell(step: str, done: int, total: int) -> None:
        quarter = 4 * done // total if total else 0
        if total >= 200 and quarter and (step, quarter) not in told:
            told.add((step, quarter))
            say(f"{step}: {done:,} of {total:,}")

    return tell


# Git


def _git(
    origin: Origin,
    *arguments: str,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    check: bool = True,
) -> str:
    """Run git on the repository. Inside pre-receive what was pushed is in quarantine: git finds it there."""
    inherited = {
        name: value
        for name, value in origin.environ.items()
        if not name.startswith("GIT_") or name.startswith("GIT_CONFIG") or name in QUARANTINE
    }
    if arguments[0] != "init":
        inherited["GIT_DIR"] = str(origin.repository)
    done = subprocess.run(  # noqa: S603
        ["git", *arguments],  # noqa: S607
        cwd=folder or (origin.repository if arguments[0] != "init" else origin.path),
        env={**inherited, **(environ or {})},
        capture_output=True,
        encoding="utf-8",
        errors="replace",  # an author's name, a subject: git keeps them as bytes of any encoding
    )
    if check and done.returncode:
        raise PublishError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip() if done.returncode == 0 else ""


def _main(origin: Origin) -> str | None:
    return _git(origin, "rev-parse", "--verify", "--quiet", MAIN, check=False) or None


def _setting(origin: Origin, name: str) -> str | None:
    return _git(origin, "config", "--get", name, check=False) or None


def _is_ancestor(origin: Origin, old: str, new: str) -> bool:
    return _git(origin, "merge-base", old, new, check=False) == old


def _has_folder(origin: Origin, commit_id: str, part: str) -> bool:
    return _git(origin, "cat-file", "-t", f"{commit_id}:{part}", check=False) == "tree"


def _commit(origin: Origin, commit_id: str) -> Commit:
    author, _, subject = _git(origin, "log", "-1", "--format=%an%n%s", commit_id).partition("\n")
    return Commit(id=commit_id, author=author, subject=subject)


def _write_hook(origin: Origin, hook: str, command: str) -> None:
    call = f"{command} receive {shlex.quote(str(origin.path))} {hook}"
    lines = []
    if hook == "reference-transaction":  # git calls it for every ref and state: answer most without Python
        lines += [
            "refs=$(cat)",
            f'case "$1 $refs" in committed*) exit 0 ;; *" {MAIN}"*) ;; *) exit 0 ;; esac',
        ]
        lines += [f'printf \'%s\\n\' "$refs" | {call} "$1"']
    else:
        lines += [f"exec {call}"]
    path = origin.repository / "hooks" / hook
    path.parent.mkdir(exist_ok=True)
    _write_script(path, *lines)


def _write_script(path: Path, *lines: str) -> None:
    first = ("#!/bin/sh", "# Made by `bindery server`, and made anew by it: changes here are lost.")
    aside = path.with_name(f".{path.name}.new")
    aside.write_text("\n".join((*first, *lines)) + "\n", encoding="utf-8")
    aside.chmod(0o755)
    aside.replace(path)
