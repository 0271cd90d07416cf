"""A publication is whole, and the pointer the only thing that moves."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bindery import publications, publish
from bindery.publications import Commit, Folder, PublishError

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make_dist(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def site(word: str, *, style: str = "plain") -> dict[str, str]:
    return {
        "public/index.html": f"<link href=/assets/{style}.css>{word}",
        "public/help/index.html": "help",
        "public/data/catalog.json": json.dumps({"format": 1, "word": word}),
        f"public/assets/{style}.css": style,
        "mails/spring/subject.txt": word,
        "pages/index.md": "is not published",
    }


def tree(root: Path) -> dict[str, str]:
    """Every path below a folder with what stands there."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def served(folder: Folder) -> dict[str, str]:
    return tree(folder.path / "current" / "public")


def test_a_publication_holds_the_site_and_the_mails_and_says_what_they_are(tmp_path: Path) -> None:
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    dist = make_dist(tmp_path / "dist", site("one"))
    commit = Commit(id="c" * 40, author="Ada", subject="The first")

    made = publish.publish(folder, dist, now=NOON, commit=commit)

    assert (tmp_path / "site" / "current").readlink() == Path("publications") / made.id
    assert made.id.startswith("20261123T120000.000Z-")
    root = tmp_path / "site" / "publications" / made.id
    assert sorted(tree(root)) == [
        "mails/spring/subject.txt",
        "manifest.json",
        "public/assets/plain.css",
        "public/data/catalog.json",
        "public/help/index.html",
        "public/index.html",
    ]
    manifest = json.loads((root / "manifest.json").read_text())
    assert manifest["files"]["public/help/index.html"] == {
        "sha256": hashlib.sha256(b"help").hexdigest(),
        "size": 4,
    }
    assert {key: manifest[key] for key in ("format", "id", "when", "commit", "kept", "replaced")} == {
        "format": 1,
        "id": made.id,
        "when": "2026-11-23T12:00:00+00:00",
        "commit": {"id": "c" * 40, "author": "Ada", "subject": "The first"},
        "kept": {},
        "replaced": None,
    }
    assert publications.damage(folder, made.id) == []


def test_a_publication_is_read_only(tmp_path: Path) -> None:
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    made = publish.publish(folder, make_dist(tmp_path / "dist", site("one")), now=NOON)

    modes = {oct(path.stat().st_mode & 0o777) for path in (folder.publications / made.id).rglob("*")}
    assert modes == {"0o444", "0o555"}


def test_what_did_not_change_is_the_same_file_as_before_and_never_a_file_of_dist(tmp_path: Path) -> None:
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    dist = make_dist(tmp_path / "dist", site("one"))
    one = publish.publish(folder, dist, now=NOON)
    make_dist(dist, site("two"))
    two = publish.publish(folder, dist, now=NOON + HOUR)

    def inode(path: Path) -> int:
        return path.stat().st_ino

    one_root, two_root = (folder.publications / each.id / "public" for each in (one, two))
    assert inode(one_root / "help/index.html") == inode(two_root / "help/index.html")
    assert inode(one_root / "index.html") != inode(two_root / "index.html")
    assert inode(dist / "public/help/index.html") != inode(two_root / "help/index.html")
    assert (one_root / "index.html").read_text().endswith("one")
    assert publications.damage(folder, one.id) == publications.damage(folder, two.id) == []


def test_history_tells_two_publications_of_one_second_apart(tmp_path: Path) -> None:
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    made = [
        publish.publish(
            folder, make_dist(tmp_path / "dist", site(str(number))), now=NOON + number * HOUR / 3_600_000
        ).id
        for number in range(12)
    ]
    assert [each.id for each in publications.history(folder)] == made[::-1]


def test_the_same_content_again_is_not_another_publication(tmp_path: Path) -> None:
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    dist = make_dist(tmp_path / "dist", site("one"))
    one = publish.publish(folder, dist, now=NOON)
    before = tree(folder.path)

    assert publish.publish(folder, dist, now=NOON + HOUR) == one
    assert tree(folder.path) == before


def test_assets_stay_for_24_hours_after_they_were_last_current(tmp_path: Path) -> None:
    """Promise 23: pages opened before find their files for 24 hours."""
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    dist = make_dist(tmp_path / "dist", site("one", style="old"))
    publish.publish(folder, dist, now=NOON)
    (dist / "public/assets/old.css").unlink()
    make_dist(dist, site("two", style="new"))

    two = publish.publish(folder, dist, now=NOON + HOUR)
    assert {path: kept.last_current for path, kept in two.kept.items()} == {
        "public/assets/old.css": NOON + HOUR
    }
    make_dist(dist, site("three", style="new"))
    publish.publish(folder, dist, now=NOON + 24 * HOUR)
    assert (folder.pointer / "public/assets/old.css").read_text() == "old"
    assert publications.damage(folder, publications.current_name(folder) or "") == []

    make_dist(dist, site("four", style="new"))
    publish.publish(folder, dist, now=NOON + 25 * HOUR)
    assert not (folder.pointer / "public/assets/old.css").exists()
    assert (folder.pointer / "public/assets/new.css").exists()


def test_rollback_restores_every_byte_and_goes_to_what_the_current_one_replaced(tmp_path: Path) -> None:
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    dist = make_dist(tmp_path / "dist", site("one"))
    states, made = [], []
    for number, word in enumerate(("one", "two", "three")):
        make_dist(dist, site(word))
        made.append(publish.publish(folder, dist, now=NOON + number * HOUR))
        states.append(served(folder))

    left, here = publish.rollback(folder, None, now=NOON + 5 * HOUR)
    assert (left.id, here.id) == (made[2].id, made[1].id)
    assert served(folder) == states[1]
    publish.rollback(folder, None, now=NOON + 6 * HOUR)
    assert served(folder) == states[0]
    publish.rollback(folder, made[2].id, now=NOON + 7 * HOUR)
    assert served(folder) == states[2]
    publish.rollback(folder, made[0].id, now=NOON + 8 * HOUR)

    make_dist(dist, site("four"))
    publish.publish(folder, dist, now=NOON + 9 * HOUR)
    _, here = publish.rollback(folder, None, now=NOON + 10 * HOUR)
    assert here.id == made[0].id, "what four replaced, not what was published before it"
    assert [each.id for each in publications.history(folder)][1:] == [made[2].id, made[1].id, made[0].id]


def test_pages_opened_before_a_rollback_find_their_assets_too(tmp_path: Path) -> None:
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    publish.publish(folder, make_dist(tmp_path / "old", site("one", style="old")), now=NOON)
    one = served(folder)
    two = publish.publish(folder, make_dist(tmp_path / "new", site("two", style="new")), now=NOON + HOUR)

    _, here = publish.rollback(folder, None, now=NOON + 2 * HOUR)

    assert served(folder) == {**one, "assets/new.css": two.files["public/assets/new.css"].sha256}
    assert {path: kept.last_current for path, kept in here.kept.items()} == {
        "public/assets/new.css": NOON + 2 * HOUR
    }
    assert publications.damage(folder, here.id) == []


def test_a_rollback_that_cannot_be_says_why(tmp_path: Path) -> None:
    folder = publications.target(f"dir:{tmp_path / 'site'}")

    def refusal(name: str | None) -> str:
        with pytest.raises(PublishError) as caught:
            publish.rollback(folder, name, now=NOON)
        return str(caught.value)

    assert refusal(None) == f"Nothing is published at {folder.path} yet"
    dist = make_dist(tmp_path / "dist", site("one"))
    one = publish.publish(folder, dist, now=NOON)
    assert refusal(None) == f"{one.id} replaced nothing: name the publication to go to; there are: none"
    assert refusal(one.id) == f"{one.id} is the current publication"
    make_dist(dist, site("two"))
    publish.publish(folder, dist, now=NOON + HOUR)
    assert refusal("x") == f"There is no publication 'x' at {folder.path}; there are: {one.id}"


def test_only_a_folder_is_a_target_yet() -> None:
    for text in ("s3://bucket", "dir:", "/srv/support", ""):
        with pytest.raises(PublishError) as caught:
            publications.target(text)
        assert str(caught.value) == f"TARGET must be dir:PATH, such as dir:/srv/support, not {text!r}"


def test_an_empty_dist_is_refused_and_nothing_moves(tmp_path: Path) -> None:
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    publish.publish(folder, make_dist(tmp_path / "dist", site("one")), now=NOON)
    before = tree(folder.path)
    with pytest.raises(PublishError) as caught:
        publish.publish(folder, tmp_path / "nothing", now=NOON + HOUR)
    missing = tmp_path / "nothing" / "public"
    assert str(caught.value) == f"{missing} holds no index.html: run `bindery build` first"
    assert tree(folder.path) == before


def test_prune_leaves_the_newest_the_current_and_the_one_before_it(tmp_path: Path) -> None:
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    dist, made = tmp_path / "dist", []
    for number in range(6):
        made.append(publish.publish(folder, make_dist(dist, site(str(number))), now=NOON + number * HOUR).id)
    publish.rollback(folder, made[2], now=NOON + 7 * HOUR)

    assert publish.prune(folder, stay=2) == (made[3], made[0])
    assert [each.id for each in publications.history(folder)] == [made[5], made[4], made[2], made[1]]
    assert publications.damage(folder, made[2]) == []
    with pytest.raises(PublishError, match="must be at least 1, not 0"):
        publish.prune(folder, stay=0)


def test_changes_name_the_pages_and_count_the_rest(tmp_path: Path) -> None:
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    one = publish.publish(folder, make_dist(tmp_path / "one", site("one")), now=NOON)
    files = {**site("two"), "public/news/a/index.html": "a", "public/404.html": "no"}
    del files["public/help/index.html"]
    two = publish.publish(folder, make_dist(tmp_path / "two", files), now=NOON + HOUR)

    assert publications.changes(one, two) == publications.Changes(
        added=("/404.html", "/news/a/"), changed=("/",), removed=("/help/",), others=2
    )
    assert publications.changes(None, one).added == ("/", "/help/")


def test_a_staged_publication_is_not_served_until_it_is_made_current(tmp_path: Path) -> None:
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    dist = make_dist(tmp_path / "dist", site("one"))
    publish.publish(folder, dist, now=NOON)
    before = served(folder)
    make_dist(dist, site("two"))
    commit = Commit(id="d" * 40, author="Ada", subject="Second")
    staged = publish.stage(folder, dist, now=NOON + HOUR, commit=commit)
    assert served(folder) == before
    assert len(publications.history(folder)) == 1

    made = publish.make_current(folder, commit.id, now=NOON + 2 * HOUR)

    assert made is not None
    assert made.files == staged.files
    assert (folder.pointer / "public/index.html").read_text().endswith("two")
    assert publish.make_current(folder, commit.id, now=NOON) is None, "once"
    assert publish.take_back(folder, "e" * 40, now=NOON) is False
    assert publish.take_back(folder, commit.id, now=NOON + 3 * HOUR) is True
    assert served(folder) == before


KILLED = """
import sys
from datetime import datetime
from pathlib import Path
from bindery import publications, publish
folder = publications.target("dir:" + sys.argv[1])
sys.stdout.write("ready\\n"); sys.stdout.flush()
publish.publish(folder, Path(sys.argv[2]), now=datetime.fromisoformat(sys.argv[3]))
publish.prune(folder, stay=3)
"""


def start(folder: Folder, dist: Path, now: datetime) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder.path), str(dist), now.isoformat()],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_publish_killed_at_any_instant_leaves_the_old_or_the_new_whole(tmp_path: Path) -> None:
    many = {f"public/page/{number}/index.html": str(number) for number in range(300)}
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    dists = [make_dist(tmp_path / word, {**many, **site(word, style=word)}) for word in ("a", "b")]
    publish.publish(folder, dists[1], now=NOON)
    whole = {tuple(sorted(made.files.items())) for made in publications.history(folder)}
    publish.publish(folder, dists[0], now=NOON + HOUR)
    whole |= {tuple(sorted(made.files.items())) for made in publications.history(folder)}
    choose, moved, patience = random.Random(7), 0, 0.12  # noqa: S311

    for turn in range(40):
        was = publications.current_name(folder)
        publisher = start(folder, dists[(turn + 1) % 2], NOON + (turn + 2) * HOUR)
        assert publisher.stdout is not None
        publisher.stdout.readline()
        time.sleep(choose.uniform(0, patience))
        publisher.send_signal(signal.SIGKILL)
        publisher.wait()
        publisher.stdout.close()

        here = publications.current(folder)
        assert here is not None
        assert publications.damage(folder, here.id) == []
        assert tuple(sorted(here.files.items())) in whole
        assert "public/assets/a.css" in {**here.files, **here.kept}
        moved += here.id != was
        patience *= 0.8 if here.id != was else 1.25  # so that a slow machine is killed on both sides too
    assert 0 < moved < 40, "some were killed before the pointer moved, some after"

    made = publish.publish(folder, make_dist(tmp_path / "c", site("c")), now=NOON + 99 * HOUR)
    assert not [entry for entry in os.scandir(folder.publications) if entry.name.startswith(".")]
    assert publications.damage(folder, made.id) == []
    assert all(publications.damage(folder, each.id) == [] for each in publications.history(folder))


@pytest.mark.slow
def test_publishers_at_the_same_time_wait_for_each_other_and_readers_never_miss(tmp_path: Path) -> None:
    folder = publications.target(f"dir:{tmp_path / 'site'}")
    words = [f"word{number}" for number in range(8)]
    publish.publish(folder, make_dist(tmp_path / "first", site("first")), now=NOON)
    publishers = [
        start(folder, make_dist(tmp_path / word, site(word, style=word)), NOON + number * HOUR)
        for number, word in enumerate(words, start=1)
    ]
    stop, seen, faults = threading.Event(), 0, []

    def look() -> None:
        nonlocal seen
        while not stop.is_set():
            root = (folder.path / "current" / "public").resolve()  # as the desk does, once a request
            try:
                page = (root / "index.html").read_text()
                asset, word = page.removeprefix("<link href=/").split(">")
                if json.loads((root / "data/catalog.json").read_text())["word"] != word:
                    faults.append(f"mix: {page}")
                (folder.path / "current" / "public" / asset).read_text()
            except FileNotFoundError as gone:
                faults.append(str(gone))
            seen += 1

    reader = threading.Thread(target=look)
    reader.start()
    for publisher in publishers:
        assert publisher.stdout is not None
        publisher.stdout.read()
        assert publisher.wait() == 0
        publisher.stdout.close()
    stop.set()
    reader.join()

    assert faults == []
    assert seen > 20
    assert len([move for move in publications.moves(folder) if move.by == "publish"]) == 9
    for made in publications.history(folder):
        assert publications.damage(folder, made.id) == []
