"""Writes mails as .eml files into a folder: what the desk does until a mail server is configured."""

from __future__ import annotations

import hashlib
import os
from email.message import EmailMessage
from pathlib import Path

from chalicelib.ports import MailTrouble


class EmlMailer:
    """`Mailer` into `folder`. A file is whole or absent; the same Message-ID is the same file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, message: EmailMessage, recipient: str) -> None:
        data = message.as_bytes()
        moment = message["Date"].datetime
        mark = hashlib.sha256(str(message["Message-ID"]).encode()).hexdigest()[:12]
        target = self._folder / f"{moment:%Y%m%dT%H%M%S}-{mark}.eml"
        part = target.with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as trouble:
            part.unlink(missing_ok=True)
            raise MailTrouble(
                f"the mail folder cannot be written ({type(trouble).__name__})", permanent=False
            ) from None
