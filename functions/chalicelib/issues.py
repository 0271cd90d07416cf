"""The newsletter's issues as the bindery lays them out: a folder of each, with subject, text, HTML and
`message.json`. Read, checked, and made the mail that is sent; never changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.bulk_mail import BulkMail, Unsendable

FORMAT = 1


class IssueTrouble(Exception):
    """An issue cannot be read; the message names the file and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Issue:
    """An issue that could be sent. `name` is its folder's, `date` the day of the issue."""

    name: str
    date: str
    url: str
    sample: bool
    mail: BulkMail


def issues(folder: Path, *, sender: str, host: str) -> Iterator[Issue]:
    """Every issue, the newest first. Raises IssueTrouble."""
    if not folder.is_dir():
        raise IssueTrouble(f"there are no mails at {folder}: build the site, or name the folder with --mails")
    found = [
        issue(folder, path.name, sender=sender, host=host)
        for path in sorted(folder.iterdir())
        if (path / "message.json").exists()
    ]
    yield from sorted(found, key=lambda one: (one.date, one.name), reverse=True)


def issue(folder: Path, name: str, *, sender: str, host: str) -> Issue:
    """One issue by its name. `sender` is the address for an issue that names none. Raises IssueTrouble."""
    place = folder / name
    if not name or Path(name).name != name or not (place / "message.json").is_file():
        raise IssueTrouble(f"there is no issue {name} in {folder}: desk newsletter list names them")
    said = _read(place / "message.json")
    try:
        message: Any = json.loads(said)
        if message["format"] != FORMAT:
            raise IssueTrouble(
                f"{place / 'message.json'}: 'format' must be {FORMAT}, not {message['format']!r}"
            )
        texts = {part["type"].partition(";")[0]: _read(place / part["file"]) for part in message["parts"]}
        headers = {str(key): str(value) for key, value in message["headers"].items()}
        mail = BulkMail(
            mailing=str(message["id"]),
            subject=str(message["subject"]),
            sender=str(message["from"].get("address") or sender),
            sender_name=str(message["from"].get("name") or ""),
            headers=headers,
            text=texts["text/plain"],
            html=texts.get("text/html", ""),
            host=host,
        )
        mail.check()
        return Issue(
            name=name,
            date=str(message["date"]),
            url=str(message.get("url") or ""),
            sample=bool(message.get("sample")),
            mail=mail,
        )
    except Unsendable as trouble:
        raise IssueTrouble(f"{place / 'message.json'}: {trouble}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as trouble:
        kind = type(trouble).__name__
        raise IssueTrouble(
            f"{place / 'message.json'} cannot be used ({kind}: {trouble}): build it again"
        ) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as trouble:
        raise IssueTrouble(f"{path} cannot be read ({type(trouble).__name__}): build it again") from None
