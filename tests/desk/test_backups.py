"""Promise 24: the documented backup command gives a copy that starts."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tarfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from chalicelib.ports import ArrivedUpload
from chalicelib.sqlite_store import copies
from desk.cli import main
from desk.terminal import Wired

CATALOG = Path(__file__).with_name("catalog.json")


@pytest.fixture
def run(world: Any) -> Any:
    def invoke(*arguments: str, **settings: str) -> Result:
        environ = {**world.environ, **settings}
        wired = Wired(environ, lambda environ: world.started(**environ))
        return CliRunner().invoke(main, arguments, obj=wired)

    return invoke


def with_a_file(world: Any) -> Any:
    """A ticket with one attachment; its receipt."""
    receipt = world.desk.tickets.open(world.draft())
    form = world.desk.tickets.upload_form(receipt.token, "log.txt", "text/plain", 5)
    arrived: ArrivedUpload = world.desk.files.receive(
        form.fields, "log.txt", "text/plain", io.BytesIO(b"hello"), world.now
    )
    world.desk.attach(arrived)
    return receipt


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_backup_is_restored_elsewhere_with_tickets_links_and_attachments(
    run: Any, world: Any, tmp_path: Path
) -> None:
    receipt = with_a_file(world)
    file = tmp_path / "backup.tar"
    made = run("backup", str(file))
    assert made.exit_code == 0, made.output
    assert made.stdout == (
        f"Backed up to {file}: the store, the secret, 1 attachment; {file.stat().st_size:,} bytes.\n"
    )
    assert file.stat().st_mode & 0o777 == 0o600
    elsewhere = tmp_path / "elsewhere"
    done = run("restore", str(file), SUPPORT_VAR=str(elsewhere))
    assert (done.exit_code, done.output) == (
        0,
        "Restored the state of Monday, November 23, 2026, 10:00 a.m. MST.\n",
    )
    other = world.started(SUPPORT_VAR=str(elsewhere))
    view = other.tickets.read(receipt.token)
    assert (view.number, [one["state"] for one in view.attachments]) == (receipt.number, ["stored"])
    (kept,) = other.store.ticket(receipt.number).attachments
    assert other.files.attachment_path(receipt.number, kept.id).read_bytes() == b"hello"
    assert other.store.mails(["waiting"]) == world.desk.store.mails(["waiting"])
    assert [path for path in elsewhere.rglob("*") if path.stat().st_mode & 0o077] == []


def test_a_living_state_is_only_replaced_when_told_and_is_kept_beside(
    run: Any, world: Any, tmp_path: Path
) -> None:
    first = with_a_file(world)
    file = str(tmp_path / "backup.tar")
    assert run("backup", file).exit_code == 0
    second = world.desk.tickets.open(world.draft(subject="later"))
    var = tmp_path / "var"
    world.desk.store.close()
    before = everything(var)
    refused = run("restore", file)
    assert (refused.exit_code, refused.output) == (
        1,
        f"Error: {var / 'desk.sqlite3'} is there: a desk has its state here. --replace puts the backup in "
        "its place, and keeps what is there beside it.\n",
    )
    assert everything(var) == before
    world.pass_(minutes=1)
    for one in world.opened:
        one.store.close()
    done = run("restore", "--replace", file)
    assert done.output.splitlines() == [
        "Restored the state of Monday, November 23, 2026, 10:00 a.m. MST.",
        f"What was there is now {var / 'files' / 'attachments.before-20261123T170100Z'}.",
        f"What was there is now {var / 'desk.sqlite3.before-20261123T170100Z'}.",
    ]
    now = world.started()
    assert now.store.ticket(first.number) is not None
    assert now.store.ticket(second.number) is None
    old = world.started(SUPPORT_STORE=f"sqlite:{var / 'desk.sqlite3.before-20261123T170100Z'}")
    assert old.store.ticket(second.number) is not None


def test_a_store_that_a_desk_works_on_is_not_replaced(run: Any, world: Any, tmp_path: Path) -> None:
    world.desk.tickets.open(world.draft())
    file = str(tmp_path / "backup.tar")
    run("backup", file)
    refused = run("restore", "--replace", file)
    assert (refused.exit_code, refused.output) == (
        1,
        f"Error: A desk works on {tmp_path / 'var' / 'desk.sqlite3'}. Stop it first, then restore.\n",
    )
    world.desk.tickets.open(world.draft(subject="still"))


def test_a_backup_is_whole_while_others_write(world: Any, tmp_path: Path) -> None:
    stop, opened = threading.Event(), [world.desk.tickets.open(world.draft()).number]

    def write() -> None:
        while not stop.is_set():
            opened.append(world.desk.tickets.open(world.draft(subject=f"n {len(opened)}")).number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            before = len(opened)
            copies.copy(tmp_path / "var" / "desk.sqlite3", tmp_path / f"{number}.sqlite3")
            assert copies.trouble_with(tmp_path / f"{number}.sqlite3") == ""
            held = sqlite3.connect(tmp_path / f"{number}.sqlite3")
            numbers = {row[0] for row in held.execute("SELECT number FROM tickets")}
            mails = held.execute("SELECT count(*) FROM outbox WHERE template = 'visitor_receipt'").fetchone()[
                0
            ]
            held.close()
            assert numbers >= set(opened[:before])
            assert mails == len(numbers)
    finally:
        stop.set()
        writer.join()


def test_a_part_of_a_backup_and_a_changed_one_are_refused_and_change_nothing(
    run: Any, world: Any, tmp_path: Path
) -> None:
    with_a_file(world)
    file = tmp_path / "backup.tar"
    run("backup", str(file))
    whole = file.read_bytes()
    elsewhere = tmp_path / "elsewhere"
    bad = tmp_path / "bad.tar"
    damaged = whole[:20_000] + bytes([whole[20_000] ^ 1]) + whole[20_001:]
    for content in (whole[: len(whole) // 2], whole[:-20_000], damaged, b"", b"not a tar file" * 100):
        bad.write_bytes(content)
        refused = run("restore", str(bad), SUPPORT_VAR=str(elsewhere))
        assert refused.exit_code == 1
        assert refused.output.startswith(f"Error: {bad} is ")
        assert not elsewhere.exists() or everything(elsewhere) == {}


@pytest.mark.parametrize("name", ["../outside", "/outside", "attachments/../../x", "other", "secret/x"])
def test_a_tar_file_that_would_write_elsewhere_is_refused(
    run: Any, tmp_path: Path, name: str, world: Any
) -> None:
    bad = tmp_path / "bad.tar"
    with tarfile.open(bad, "w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    refused = run("restore", str(bad), SUPPORT_VAR=str(tmp_path / "elsewhere"))
    assert (refused.exit_code, refused.output) == (
        1,
        f"Error: {bad} is no backup of a desk: it holds '{name}'.\n",
    )
    assert not (tmp_path / "outside").exists()


def test_a_store_that_is_no_desks_or_a_newer_ones_is_named(tmp_path: Path, world: Any) -> None:
    other = tmp_path / "other.sqlite3"
    with sqlite3.connect(other) as made:
        made.execute("CREATE TABLE t (x)")
    made.close()
    assert copies.trouble_with(other) == "it is no store of a desk"
    world.desk.tickets.open(world.draft())
    copies.copy(tmp_path / "var" / "desk.sqlite3", tmp_path / "newer.sqlite3")
    with sqlite3.connect(tmp_path / "newer.sqlite3") as made:
        made.execute("INSERT INTO schema_steps VALUES ('999-of-tomorrow')")
    made.close()
    assert copies.trouble_with(tmp_path / "newer.sqlite3") == (
        "a newer desk made it (it knows 999-of-tomorrow): update this one first"
    )
    (tmp_path / "text").write_text("no database " * 1000)
    assert copies.trouble_with(tmp_path / "text") == "SQLite cannot read it (file is not a database)"


def test_the_secret_is_left_out_when_told_or_when_a_setting_holds_it(
    run: Any, world: Any, tmp_path: Path
) -> None:
    with_a_file(world)
    names, told = [], []
    for number, (options, settings) in enumerate(
        [
            ([], {}),
            (["--without-secret"], {}),
            (["--without-attachments"], {}),
            ([], {"SUPPORT_SECRET": "a secret of 16 or more"}),
        ]
    ):
        file = tmp_path / f"{number}.tar"
        said = run("backup", *options, str(file), **settings)
        assert said.exit_code == 0
        with tarfile.open(file) as tar:
            names.append([name.partition("/")[0] for name in tar.getnames()])
        told.append(said.stderr.splitlines()[1:])
    assert names == [
        ["desk.sqlite3", "secret", "attachments", "manifest.json"],
        ["desk.sqlite3", "attachments", "manifest.json"],
        ["desk.sqlite3", "secret", "manifest.json"],
        ["desk.sqlite3", "attachments", "manifest.json"],
    ]
    why = ": without that same secret, no link of a mail that was sent works again."
    assert told == [[], [f"The secret is left out{why}"], [], [f"The secret is in SUPPORT_SECRET{why}"]]


def test_what_is_there_is_not_written_over_and_nothing_is_no_backup(
    run: Any, world: Any, tmp_path: Path
) -> None:
    empty = run("backup", str(tmp_path / "none.tar"))
    assert (empty.exit_code, empty.output) == (
        1,
        f"Error: There is nothing to back up: {tmp_path / 'var' / 'desk.sqlite3'} is not there.\n",
    )
    world.desk.tickets.open(world.draft())
    file = tmp_path / "backup.tar"
    file.write_text("mine")
    refused = run("backup", str(file))
    assert (refused.exit_code, file.read_text()) == (1, "mine")
    assert run("backup", "--force", "--json", str(file)).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "var"]
    said = json.loads(run("backup", "--force", "--json", str(file)).stdout)
    assert said == {
        "file": str(file),
        "made": "2026-11-23T17:00:00+00:00",
        "secret": "in it",
        "attachments": 0,
        "size": file.stat().st_size,
    }


def test_a_desk_that_made_no_link_yet_has_no_secret_to_keep(run: Any, world: Any, tmp_path: Path) -> None:
    world.keep(world.agreement())
    said = run("backup", str(tmp_path / "b.tar"))
    assert said.stderr == (
        "Whoever has this file can read every ticket. Keep it where only you can read it.\n"
    )
    elsewhere = str(tmp_path / "elsewhere")
    assert run("restore", str(tmp_path / "b.tar"), SUPPORT_VAR=elsewhere).stderr == ""
    acts, _ = world.started(SUPPORT_VAR=elsewhere).store.acts()
    assert [one.what for one in acts] == ["restore the desk"]


def test_on_dynamodb_it_says_what_aws_offers(run: Any, tmp_path: Path) -> None:
    for command in (("backup", str(tmp_path / "b.tar")), ("restore", str(CATALOG))):
        said = run(*command, SUPPORT_STORE="dynamodb:desk")
        assert said.exit_code == 1
        assert said.output.startswith(
            "Error: The state is the DynamoDB table desk, and AWS keeps its backups. Switch on point-in-time "
            "recovery (aws dynamodb update-continuous-backups --table-name desk "
        )


@pytest.mark.slow
def test_promise_24_a_desk_starts_from_the_restored_copy_and_an_old_link_works(
    run: Any, world: Any, tmp_path: Path
) -> None:
    receipt = with_a_file(world)
    file, elsewhere, public = tmp_path / "backup.tar", tmp_path / "elsewhere", tmp_path / "public"
    (public / "data").mkdir(parents=True)
    (public / "data" / "catalog.json").write_bytes(CATALOG.read_bytes())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {**os.environ, "SUPPORT_VAR": str(elsewhere), "SUPPORT_URL": f"http://127.0.0.1:{port}"}
    run("backup", str(file))
    desk = [sys.executable, "-m", "desk"]
    subprocess.run([*desk, "restore", str(file)], env=environ, check=True, capture_output=True)
    server = subprocess.Popen(
        [*desk, "serve", "--port", str(port), "--public", str(public)],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", urlsplit(receipt.url).path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        said = json.loads(answer.read())
        connection.close()
        assert (answer.status, said["number"]) == (200, receipt.number)
        assert [one["state"] for one in said["attachments"]] == ["stored"]
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)
