"""The addresses below `/files/`: signed downloads and uploads, standing where S3 stands on AWS.

Everything that a link or form may do is in its signature (`chalicelib.local_files`); here it only meets HTTP.
"""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast
from urllib.parse import unquote

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from chalicelib import answers
from chalicelib.answers import Answer
from chalicelib.bodies import UnknownContentType
from chalicelib.exchange import Exchange, MethodNotAllowed
from chalicelib.local_files import LocalFiles
from chalicelib.refusals import FieldProblem, Forbidden, Invalid, NotFound, Refused, TooLarge
from chalicelib.tickets import MAX_FILE_SIZE
from desk.published import Sent, content_type, send_file

UPLOAD = "upload"
# The file, the form's other fields and what separates them.
UPLOAD_LIMIT = MAX_FILE_SIZE + 64 * 1024
_FIELDS_LIMIT = 32 * 1024
_IN_MEMORY = 256 * 1024
_DOWNLOAD_PAGE = "/support/download/"


def download(here: Exchange, word: str) -> Sent:
    """The file behind a signed link, to be saved, never shown. Raises Forbidden, Expired, NotAvailable,
    MethodNotAllowed."""
    if here.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("A file can be read here; nothing can be sent to it.")
    served = _folder(here).served(unquote(word), here.desk.clock())
    headers = (
        ("Content-Type", content_type(served.name)),
        ("Content-Disposition", answers.to_be_saved(served.name)),
        ("Accept-Ranges", "bytes"),
        *answers.PRIVATE_HEADERS,
    )
    return send_file(
        served.path.open("rb"),
        size=served.size,
        headers=headers,
        wanted=here.headers.get("range", ""),
        etag="",
        if_range=here.headers.get("if-range", ""),
    )


def upload(here: Exchange, stream: BinaryIO, length: int) -> Answer:
    """Takes the multipart form of a ticket's page; then shows the ticket.

    Raises what the file store and the ticket raise, TooLarge, Invalid and Refused (400).
    """
    if here.method != "POST":
        raise MethodNotAllowed("A file can be sent here with the form of its ticket.")
    if length > UPLOAD_LIMIT:
        raise TooLarge(f"A file may have at most {MAX_FILE_SIZE // 1024**2} MB. Nothing was stored.")
    media, options = parse_options_header(here.headers.get("content-type", ""))
    if media != "multipart/form-data" or not options.get("boundary"):
        raise UnknownContentType(
            "This address takes multipart/form-data, as the form of a ticket's page sends it."
        )
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as content:
        form, file = _parts(stream, str(options["boundary"]), length, content)
        if file is None or not file.filename:
            raise Invalid([FieldProblem(field="file", message="Choose a file.")])
        content.seek(0)
        arrived = _folder(here).receive(
            form, file.filename, file.content_type or "", cast(BinaryIO, content), here.desk.clock()
        )
    view = here.desk.attach(arrived)
    return here.see_or_json(lambda: here.path(view.url) + "#files", view.as_json, status=201)


def refused(here: Exchange, trouble: Refused) -> Answer:
    """A refusal at these addresses; the page of a link offers a new one."""
    if not here.wants_page:
        return answers.problem(trouble)
    again = _DOWNLOAD_PAGE if isinstance(trouble, Forbidden) and here.method in ("GET", "HEAD") else ""
    return here.pages.refusal(trouble, again_url=again, phone=here.phone)


def _folder(here: Exchange) -> LocalFiles:
    """Raises NotFound where files lie elsewhere, with addresses of their own."""
    if not isinstance(here.desk.files, LocalFiles):
        raise NotFound
    return here.desk.files


def _parts(
    stream: BinaryIO, boundary: str, length: int, content: IO[bytes]
) -> tuple[dict[str, str], MultipartSegment | None]:
    """The texts of a form, and its one file, whose bytes are written to `content`.

    Raises Refused (400) for bytes that are no such form.
    """
    texts: dict[str, bytes] = {}
    file: MultipartSegment | None = None
    part: MultipartSegment | None = None
    try:
        with PushMultipartParser(
            boundary, content_length=length, max_segment_count=16, max_header_size=4096, strict=True
        ) as parser:
            for event in parser.parse_blocking(stream.read, 1 << 16):
                if isinstance(event, MultipartSegment):
                    part = event
                    file = part if file is None and part.filename is not None else file
                elif event and part is not None and part is file:
                    content.write(event)
                elif event and part is not None and part.filename is None:
                    texts[part.name] = (texts.get(part.name, b"") + event)[:_FIELDS_LIMIT]
        return {name: value.decode() for name, value in texts.items()}, file
    except (MultipartError, UnicodeDecodeError, LookupError):
        raise Refused(
            "The form did not arrive whole. Nothing was stored; send it again.",
            title="The request cannot be read",
        ) from None
