"""The contract of a file store, kept by the local folder behind its real server, and by S3 (here SeaweedFS).

Links and forms are used as a browser uses them: over HTTP, knowing nothing of who serves them.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import lxml.html
import pytest

from chalicelib import wiring
from chalicelib.pace import Allowance
from chalicelib.ports import ANNOUNCED_FOR, UploadForm
from chalicelib.refusals import NotAvailable, NotStored
from chalicelib.tickets import MAX_FILES, TicketDraft, TicketReceipt
from chalicelib.wiring import Desk
from desk.server import Front, running

RELEASE = "releases/widget/1.0/set up (64).zip"
CONTENT = bytes(range(256)) * 5_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NO_LIMIT = Allowance(burst=1_000_000, per_minute=1_000_000)


@dataclass(frozen=True)
class Reply:
    """An answer as it came over the wire; header names in lower case. Status 0: none came."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Place:
    """A desk with a file store; `put` lays a release file, `kept` reads what staff would find."""

    desk: Desk
    put: Callable[[str, bytes], None]
    kept: Callable[[str, str], bytes]
    names: Callable[[], list[str]]
    ahead: timedelta = field(default_factory=timedelta)

    @property
    def now(self) -> datetime:
        return self.desk.clock()

    def link(self, seconds: float = 300) -> str:
        expires = self.now + timedelta(seconds=seconds)
        return self.desk.files.link(RELEASE, size=len(CONTENT), sha256=SHA256, expires=expires)

    def ticket(self) -> TicketReceipt:
        return self.desk.tickets.open(
            TicketDraft(
                name="Ann Example",
                email="ann@example.org",
                kind="question",
                severity="P3",
                subject="Where is the button",
                description=f"I cannot find it. {time.monotonic_ns()}",
            )
        )

    def shown(self, ticket: TicketReceipt) -> list[tuple[str, int, str, str]]:
        """The attachments that a reader of the ticket sees, with the hash that staff see."""
        self.desk.read_ticket(ticket.token)
        found = self.desk.tickets.by_number(ticket.number)
        return [(one.name, one.size, one.state, one.sha256) for one in found.attachments]

    def page_form(self, ticket: TicketReceipt) -> UploadForm:
        """The form as the ticket's page has it, for a browser without JavaScript."""
        reply = fetch(ticket.url, Accept="text/html")
        (form,) = lxml.html.fromstring(reply.body.decode()).xpath("//form[@enctype='multipart/form-data']")
        url = form.get("action")
        fields = {one.get("name"): one.get("value") for one in form.xpath("input[@type='hidden']")}
        absolute = self.desk.settings.url + url if url.startswith("/") else url
        origin = "'self'" if url.startswith("/") else "{0.scheme}://{0.netloc}".format(urlsplit(url))
        (allowed,) = re.findall(r"form-action ([^;]*);", reply.headers["content-security-policy"])
        assert origin in allowed.split()
        return UploadForm(url=absolute, fields=fields, expires=self.now, max_size=0)

    def form(self, *, seconds: float = 300, max_size: int = 1000, attachment: str = "f" * 32) -> UploadForm:
        return self.desk.files.upload_form(
            ticket=self.ticket().number,
            attachment=attachment,
            name="a.txt" if attachment else "",
            content_type="text/plain" if attachment else "",
            expires=self.now + timedelta(seconds=seconds),
            max_size=max_size,
            back="" if attachment else f"{self.desk.settings.url}/api/tickets/secret",
        )


def fetch(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, target, body, named)
        return _reply(connection.getresponse())
    except (HTTPException, OSError):
        return Reply(0, {}, b"")
    finally:
        connection.close()


def send(form: UploadForm, content: bytes, name: str = "error.log", *, only: int | None = None) -> Reply:
    """Post a form as a browser does; with `only`, break off after so many bytes."""
    boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    parts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{one}"\r\n\r\n{value}\r\n'
        for one, value in form.fields.items()
    )
    parts += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    body = (
        (parts + "Content-Type: text/plain\r\n\r\n").encode() + content + f"\r\n--{boundary}--\r\n".encode()
    )
    at = urlsplit(form.url)
    connection = HTTPConnection(at.hostname or "", at.port, timeout=30)
    try:
        connection.putrequest("POST", at.path)
        connection.putheader("Content-Type", f"multipart/form-data; boundary={boundary}")
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Accept", "text/html")
        connection.endheaders(body[:only])
        if only is not None:
            return Reply(0, {}, b"")
        return _reply(connection.getresponse())
    except (HTTPException, OSError):
        return Reply(0, {}, b"")
    finally:
        connection.close()


def _reply(answer: HTTPResponse) -> Reply:
    return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def changed(form: UploadForm, **fields: str) -> UploadForm:
    return UploadForm(
        url=form.url, fields={**form.fields, **fields}, expires=form.expires, max_size=form.max_size
    )


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Place]:
    port = free_port()
    environ = {
        "SUPPORT_URL": f"http://127.0.0.1:{port}",
        "SUPPORT_VAR": str(tmp_path / "var"),
        "SUPPORT_CATALOG": str(tmp_path / "public" / "data" / "catalog.json"),
        "SUPPORT_SECRET": "a secret for the tests alone",
    }
    (tmp_path / "public" / "data").mkdir(parents=True)
    if request.param == "s3":
        bucket, prefix, client = request.getfixturevalue("s3_place")
        environ["SUPPORT_FILES"] = f"s3:{bucket}/{prefix}"
    made: list[Place] = []
    desk = wiring.desk(environ, lambda: datetime.now(UTC) + (made[0].ahead if made else timedelta()))
    if request.param == "s3":
        made.append(Place(desk, *_on_s3(client, bucket, prefix, desk)))
    else:
        made.append(Place(desk, *_in_folder(tmp_path / "var" / "files", desk)))
    with running(Front(desk, tmp_path / "public", posts=NO_LIMIT), port=port):
        yield made[0]
    desk.store.close()
    if request.param == "s3":
        desk.files.close()  # type: ignore[union-attr]


def _in_folder(folder: Path, desk: Desk) -> tuple[Any, ...]:
    def put(path: str, content: bytes) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)

    def kept(ticket: str, attachment: str) -> bytes:
        return Path(desk.files.attachment_path(ticket, attachment)).read_bytes()

    def names() -> list[str]:
        return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())

    return put, kept, names


def _on_s3(client: Any, bucket: str, prefix: str, desk: Desk) -> tuple[Any, ...]:
    def put(path: str, content: bytes) -> None:
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        client.put_object(Bucket=bucket, Key=f"{prefix}{path}", Body=content, ChecksumSHA256=checksum)

    def kept(ticket: str, attachment: str) -> bytes:
        place = str(desk.files.attachment_path(ticket, attachment)).removeprefix(f"s3://{bucket}/")
        found = client.get_object(Bucket=bucket, Key=place)
        assert (found["ContentType"], found["ContentDisposition"]) == (
            "application/octet-stream",
            "attachment",
        )
        return bytes(found["Body"].read())

    def names() -> list[str]:
        found = client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return sorted(one["Key"].removeprefix(prefix) for one in found)

    return put, kept, names


# Links


def test_a_link_gives_exactly_the_published_bytes_to_be_saved_under_their_name(place: Place) -> None:
    """Promise 11: you get the file we published."""
    place.put(RELEASE, CONTENT)
    reply = fetch(place.link())
    assert (reply.status, hashlib.sha256(reply.body).hexdigest()) == (200, SHA256)
    assert reply.headers["content-disposition"] == (
        "attachment; filename=\"set up _64_.zip\"; filename*=UTF-8''set%20up%20%2864%29.zip"
    )
    assert fetch(place.link(), Range="bytes=256-511").body == bytes(range(256))


def test_a_link_with_one_character_changed_is_refused(place: Place) -> None:
    """Promise 10: change any byte and it is refused."""
    place.put(RELEASE, CONTENT)
    link = place.link()
    begin = link.index("/", len("http://"))
    for at in range(begin + 1, len(link)):
        other = "A" if link[at] != "A" else "B"
        reply = fetch(link[:at] + other + link[at + 1 :])
        # SeaweedFS hangs up on some that are not even well formed.
        assert reply.status == 0 or 400 <= reply.status < 500, link[:at] + other
        assert reply.body != CONTENT
    assert fetch(link).status == 200


@pytest.mark.slow
def test_a_link_is_refused_when_its_time_is_over(place: Place) -> None:
    """Promise 10: for one file and five minutes."""
    place.put(RELEASE, CONTENT)
    link = place.link(seconds=2)
    assert fetch(link).status == 200
    time.sleep(2.5)
    assert fetch(link).status == 403


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_a_link_is_for_reading_and_no_other_method(place: Place, method: str) -> None:
    place.put(RELEASE, CONTENT)
    reply = fetch(place.link(), method, b"something else")
    assert 400 <= reply.status < 500
    assert fetch(place.link()).body == CONTENT


def test_a_link_tells_nothing_of_the_agreement_and_names_one_file(place: Place) -> None:
    place.put(RELEASE, CONTENT)
    place.put("releases/widget/1.0/other.zip", CONTENT)
    said = unquote(place.link())
    assert "agreement" not in said.lower()
    other = place.link().replace("set%20up%20%2864%29.zip", "other.zip")
    assert other == place.link() or fetch(other).status == 403


@pytest.mark.parametrize("there", [None, CONTENT[:-1], CONTENT + b"\0", b"\1" + CONTENT[1:]])
def test_no_link_is_given_to_a_file_that_is_not_the_published_one(place: Place, there: bytes | None) -> None:
    """Promise 11: you get the file we published."""
    if there is not None:
        place.put(RELEASE, there)
    with pytest.raises(NotAvailable) as refused:
        place.link()
    assert str(refused.value) == (
        "The file is not here at the moment. Please try later or call us."
        if there is None
        else "The file here is not the one that was published. Please call us."
    )


def test_a_file_that_staff_lay_is_the_published_one_and_can_be_linked_to(place: Place) -> None:
    """Promise 11: you get the file we published."""
    files = place.desk.files
    assert files.state(RELEASE, size=len(CONTENT), sha256=SHA256) == "missing"
    place.put(RELEASE, CONTENT[:-1])
    assert files.state(RELEASE, size=len(CONTENT), sha256=SHA256) == "another"
    files.put(RELEASE, io.BytesIO(CONTENT), size=len(CONTENT), sha256=SHA256)
    assert files.state(RELEASE, size=len(CONTENT), sha256=SHA256) == "here"
    assert fetch(place.link()).body == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x", b"\1" + CONTENT[1:]])
def test_a_file_that_changes_while_it_is_laid_is_not_laid(place: Place, content: bytes) -> None:
    place.put(RELEASE, CONTENT)
    with pytest.raises(NotStored):
        place.desk.files.put(RELEASE, io.BytesIO(content), size=len(CONTENT), sha256=SHA256)
    assert fetch(place.link()).body == CONTENT


# Uploads


def test_an_announced_file_is_shown_once_every_byte_of_it_is_stored(place: Place) -> None:
    """Promise 4: an attachment is whole or absent."""
    ticket = place.ticket()
    form = place.desk.tickets.upload_form(ticket.token, "größe.log", "text/x-log", len(CONTENT))
    assert place.shown(ticket) == [("größe.log", len(CONTENT), "waiting", "")]
    assert send(form, CONTENT, "other.bin").status in (201, 303)
    assert place.shown(ticket) == [("größe.log", len(CONTENT), "stored", SHA256)]
    (kept,) = place.desk.tickets.by_number(ticket.number).attachments
    assert kept.content_type == "text/x-log"
    assert place.kept(ticket.number, kept.id) == CONTENT
    assert place.names() == [f"attachments/{ticket.number}/{kept.id}"]


def test_the_form_of_the_page_works_without_a_script_and_leads_back_to_the_ticket(place: Place) -> None:
    """Promise 4, and 21: the way back is to our own site."""
    ticket = place.ticket()
    reply = send(place.page_form(ticket), CONTENT, "../folder/error <b>.log")
    assert reply.status == 303
    back = reply.headers["location"]
    back = place.desk.settings.url + back if back.startswith("/") else back
    assert back.startswith(ticket.url)
    page = fetch(back, Accept="text/html")
    assert page.status == 200
    assert "error &lt;b&gt;.log" in page.body.decode()
    assert place.shown(ticket) == [("error <b>.log", len(CONTENT), "stored", SHA256)]
    (kept,) = place.desk.tickets.by_number(ticket.number).attachments
    assert place.names() == [f"attachments/{ticket.number}/{kept.id}"]
    assert place.kept(ticket.number, kept.id) == CONTENT


@pytest.mark.browser
def test_a_browser_without_javascript_sends_a_file_under_the_strict_policy(
    place: Place, tmp_path: Path
) -> None:
    """Promise 29: strict by default, and the form's way to the file store and back is within it."""
    from playwright.sync_api import sync_playwright

    ticket = place.ticket()
    (tmp_path / "what went wrong.log").write_bytes(CONTENT)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = chromium.new_context(java_script_enabled=False).new_page()
        told: list[str] = []
        page.on("console", lambda said: told.append(said.text))
        page.goto(ticket.url)
        page.set_input_files("#file", tmp_path / "what went wrong.log")
        page.click("text=Attach the file")
        page.wait_for_url(f"{ticket.url}*")
        assert "what went wrong.log (1.2 MB, stored)" in page.inner_text("main")
        chromium.close()
    assert [line for line in told if "Content Security Policy" in line] == []
    assert place.shown(ticket) == [("what went wrong.log", len(CONTENT), "stored", SHA256)]


@pytest.mark.parametrize("size", [0, 1001])
def test_a_file_that_is_empty_or_beyond_the_limit_is_refused(place: Place, size: int) -> None:
    assert 400 <= send(place.form(), b"x" * size).status < 500
    assert place.names() == []
    assert send(place.form(), b"x" * 1000).status in (201, 303)


@pytest.mark.parametrize("announced", ["f" * 32, ""])
def test_a_form_with_one_field_changed_is_refused(place: Place, announced: str) -> None:
    """The key, the type, the limits and the way back are held by the signature."""
    form = place.form(attachment=announced)
    for name, value in form.fields.items():
        other = {
            "key": value.replace("incoming/", "attachments/"),
            "Content-Type": "text/html",
        }.get(name, ("B" if value[0] != "B" else "C") + value[1:])
        assert 400 <= send(changed(form, **{name: other}), b"abc").status < 500, name
    for name in form.fields:
        without = {one: value for one, value in form.fields.items() if one != name}
        bare = UploadForm(url=form.url, fields=without, expires=form.expires, max_size=0)
        assert 400 <= send(bare, b"abc").status < 500, name
    assert place.names() == []


@pytest.mark.slow
def test_a_form_is_refused_when_its_time_is_over(place: Place) -> None:
    form = place.form(seconds=1)
    time.sleep(2.5)
    assert send(form, b"abc").status == 403
    assert place.names() == []


def test_an_upload_that_breaks_off_is_absent_and_told_so(place: Place) -> None:
    """Promise 4: one that did not arrive is said so, and can be sent again."""
    ticket = place.ticket()
    form = place.desk.tickets.upload_form(ticket.token, "video.mp4", "video/mp4", len(CONTENT))
    send(form, CONTENT, only=len(CONTENT) // 2)
    send(place.page_form(ticket), CONTENT, only=len(CONTENT) // 2)
    assert place.shown(ticket) == [("video.mp4", len(CONTENT), "waiting", "")]
    place.ahead = ANNOUNCED_FOR + timedelta(minutes=1)
    (said,) = place.desk.read_ticket(ticket.token).attachments
    assert said["state"] == "did not arrive: please send it again"
    again = place.desk.tickets.upload_form(ticket.token, "video.mp4", "video/mp4", len(CONTENT))
    place.ahead = timedelta()
    send(again, CONTENT)
    assert ("video.mp4", len(CONTENT), "stored", SHA256) in place.shown(ticket)
    assert [name for name in place.names() if not name.startswith("attachments/")] == []
    assert len(place.names()) == 1


def test_a_form_that_is_sent_twice_leaves_what_is_shown_as_it_was(place: Place) -> None:
    """Promise 4: what a ticket shows stays whole."""
    ticket = place.ticket()
    form = place.desk.tickets.upload_form(ticket.token, "a.txt", "text/plain", 5)
    page = place.page_form(ticket)
    for content in (b"first", b"second"):
        send(form, content)
        assert ("a.txt", len(content)) in [one[:2] for one in place.shown(ticket)]
        send(page, content, "b.txt")
        assert ("b.txt", len(content)) in [one[:2] for one in place.shown(ticket)]
    held = place.desk.tickets.by_number(ticket.number).attachments
    assert sorted((one.name, place.kept(ticket.number, one.id)) for one in held) == [
        *(("a.txt", content) for content in (b"first", b"second")),
        *(("b.txt", content) for content in (b"first", b"second")),
    ]
    assert all(hashlib.sha256(place.kept(ticket.number, one.id)).hexdigest() == one.sha256 for one in held)


def test_the_same_file_sent_twice_is_shown_once(place: Place) -> None:
    ticket = place.ticket()
    for _ in range(2):
        send(place.page_form(ticket), b"same", "a.txt")
        place.shown(ticket)
    assert [one[0] for one in place.shown(ticket)] == ["a.txt"]
    assert len(place.names()) == 1


def test_a_ticket_takes_so_many_files_and_no_more(place: Place) -> None:
    ticket = place.ticket()
    form = place.page_form(ticket)
    for number in range(MAX_FILES + 2):
        send(form, f"{number}".encode(), f"{number}.txt")
    assert [one[0] for one in place.shown(ticket)] == [f"{number}.txt" for number in range(MAX_FILES)]
    assert len(place.names()) == MAX_FILES


def test_many_who_look_at_once_note_an_arrival_once(place: Place) -> None:
    ticket = place.ticket()
    send(place.page_form(ticket), CONTENT, "a.txt")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: place.desk.read_ticket(ticket.token), range(8)))
    assert place.shown(ticket) == [("a.txt", len(CONTENT), "stored", SHA256)]
    (kept,) = place.desk.tickets.by_number(ticket.number).attachments
    assert place.names() == [f"attachments/{ticket.number}/{kept.id}"]


def test_what_arrives_while_nobody_looks_is_noted_by_the_worker(place: Place) -> None:
    first, second = place.ticket(), place.ticket()
    for ticket in (first, second):
        send(place.page_form(ticket), CONTENT, "a.txt")
    place.desk.arrivals.note()
    for ticket in (first, second):
        (held,) = place.desk.tickets.by_number(ticket.number).attachments
        assert (held.state, place.kept(ticket.number, held.id)) == ("stored", CONTENT)
    assert place.desk.arrivals.note() == 0


def test_who_dies_between_copying_and_noting_loses_nothing(place: Place) -> None:
    ticket = place.ticket()
    send(place.page_form(ticket), CONTENT, "a.txt")
    before = [one.attachment for one in place.desk.files.arrived()]
    assert [one.attachment for one in place.desk.files.arrived()] == before
    assert place.shown(ticket) == [("a.txt", len(CONTENT), "stored", SHA256)]
    assert len(place.names()) == 1
