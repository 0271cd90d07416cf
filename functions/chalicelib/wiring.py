"""Puts the desk together: the only reader of the environment and of the clock.

Every setting may be absent; then all works on one machine with its state in `var/`. Adapters are made on
first use.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, unquote, urlsplit

from chalicelib.catalog import Catalog, CatalogFile, CatalogTrouble
from chalicelib.refusals import NotAvailable, NotStored
from chalicelib.signing import Signer

if TYPE_CHECKING:
    # Each part is imported where it is made: a function that starts cold waits for what it uses, no more.
    from chalicelib.arrivals import Arrivals
    from chalicelib.attending import Attending
    from chalicelib.dynamodb_store import DynamoStore
    from chalicelib.fixes import Fixes
    from chalicelib.handling import Handling
    from chalicelib.letters import LetterMaker
    from chalicelib.local_files import LocalFiles
    from chalicelib.lookups import DownloadAnswer, Lookups, UpdatesAnswer
    from chalicelib.me import MyPages
    from chalicelib.my_calendar import MyCalendars
    from chalicelib.outbox import Outbox
    from chalicelib.ports import Act, ArrivedUpload, Clock, Files, Mailer, Site, Store
    from chalicelib.reminders import Reminders
    from chalicelib.s3_files import S3Files
    from chalicelib.s3_site import S3Site
    from chalicelib.sign_in import SignIns
    from chalicelib.smtp_mailer import SmtpMailer
    from chalicelib.sqlite_store import SqliteStore
    from chalicelib.standing import RenewalAnswer
    from chalicelib.subscriptions import Subscriptions
    from chalicelib.ticket_mails import TicketMails
    from chalicelib.tickets import Tickets, TicketView
    from chalicelib.web_sessions import WebSessions


class SettingTrouble(Exception):
    """A setting cannot be used; the message names it, what it must be, and what it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What the environment says, read once. `url` without a slash at its end; `secret` is "" when none is
    set; `proxies` of ours stand in front."""

    url: str
    store: str
    files: str
    mail: str
    catalog: str
    secret: str
    var: Path
    proxies: int = 0

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Raises SettingTrouble."""
        var = Path(environ.get("SUPPORT_VAR") or "var")
        url = (environ.get("SUPPORT_URL") or "http://localhost:8000").rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingTrouble(
                f"SUPPORT_URL must be an address such as https://support.example.com, not '{url}'"
            )
        proxies = environ.get("SUPPORT_PROXIES") or "0"
        if not (proxies.isascii() and proxies.isdigit() and len(proxies) == 1):
            raise SettingTrouble(
                "SUPPORT_PROXIES must be how many proxies of yours stand in front, such as 1 for CloudFront, "
                f"not '{proxies}'"
            )
        return cls(
            url=url,
            store=environ.get("SUPPORT_STORE") or f"sqlite:{var / 'desk.sqlite3'}",
            files=environ.get("SUPPORT_FILES") or f"dir:{var / 'files'}",
            mail=environ.get("SUPPORT_MAIL") or f"eml:{var / 'mail'}",
            catalog=environ.get("SUPPORT_CATALOG") or "dist/public/data/catalog.json",
            secret=environ.get("SUPPORT_SECRET") or "",
            var=var,
            proxies=int(proxies),
        )


@dataclass(frozen=True)
class Desk:
    """Everything that routes, worker and command line use."""

    settings: Settings
    clock: Clock

    @cached_property
    def signer(self) -> Signer:
        """Raises SettingTrouble, NotStored."""
        try:
            return Signer(self.settings.secret.encode() or kept_secret(self.settings.var / "secret"))
        except ValueError as trouble:
            raise SettingTrouble(str(trouble)) from None

    @cached_property
    def store(self) -> SqliteStore | DynamoStore:
        if self.settings.store.startswith("dynamodb:"):
            from chalicelib.dynamodb_store import DynamoStore, connect_aws

            return DynamoStore(connect_aws, _setting("SUPPORT_STORE", self.settings.store, "dynamodb"))
        from chalicelib.sqlite_store import SqliteStore, connect

        path = Path(_setting("SUPPORT_STORE", self.settings.store, "sqlite"))
        return SqliteStore(partial(connect, path))

    @cached_property
    def files(self) -> LocalFiles | S3Files:
        if self.settings.files.startswith("s3:"):
            from chalicelib import s3_files

            place = _setting("SUPPORT_FILES", self.settings.files, "s3")
            bucket, _, prefix = place.strip("/").partition("/")
            return s3_files.S3Files(s3_files.connect_aws, bucket, f"{prefix}/" if prefix else "", self.clock)
        from chalicelib.local_files import LocalFiles

        folder = Path(_setting("SUPPORT_FILES", self.settings.files, "dir"))
        return LocalFiles(folder, self.signer, self.settings.url)

    @cached_property
    def mailer(self) -> Mailer:
        if self.settings.mail.startswith("ses:"):
            from chalicelib import ses_mailer

            return ses_mailer.SesMailer(ses_mailer.connect_aws, self.settings.mail.removeprefix("ses:"))
        if self.settings.mail.startswith("eml:"):
            from chalicelib.eml_mailer import EmlMailer

            return EmlMailer(Path(self.settings.mail.removeprefix("eml:")))
        return smtp_mailer(self.settings.mail)

    @cached_property
    def catalog_file(self) -> Callable[[], Catalog]:
        if self._s3_site is not None:
            from chalicelib.site_catalog import CatalogOfSite

            return CatalogOfSite(*self._s3_site)
        return CatalogFile(Path(self.settings.catalog))

    def site(self) -> Site | None:
        """The publication that is current now: where the catalog lies, in the folder above `data/`."""
        if self._s3_site is not None:
            return self._s3_site[0]
        from chalicelib.local_site import LocalSite

        root = Path(os.path.realpath(self.settings.catalog)).parent.parent
        return LocalSite(root) if root.is_dir() else None

    @cached_property
    def _s3_site(self) -> tuple[S3Site, str] | None:
        """The site in a bucket and the catalog's place in it, when SUPPORT_CATALOG is `s3://bucket/key`."""
        if not self.settings.catalog.startswith("s3://"):
            return None
        from chalicelib import s3_files, s3_site

        bucket, _, key = self.settings.catalog.removeprefix("s3://").partition("/")
        if not bucket or not key:
            raise SettingTrouble(
                "SUPPORT_CATALOG must be a path, or such as 's3://bucket/data/catalog.json', "
                f"not '{self.settings.catalog}'"
            )
        parts = key.split("/")
        prefix = "".join(f"{part}/" for part in parts[:-2])
        site = s3_site.S3Site(s3_files.connect_aws, bucket, prefix, time.monotonic)
        return site, "/".join(parts[-2:])

    def catalog(self) -> Catalog:
        """The catalog of the present publication. Raises NotAvailable."""
        try:
            return self.catalog_file()
        except CatalogTrouble:
            raise NotAvailable(
                "The facts about our releases are not available now. Please try again later or call us."
            ) from None

    def catalog_or_none(self) -> Catalog | None:
        with suppress(CatalogTrouble):
            return self.catalog_file()
        return None

    @cached_property
    def tickets(self) -> Tickets:
        from chalicelib.tickets import Tickets

        return Tickets(
            store=self.store,
            files=self.files,
            signer=self.signer,
            catalog=self.catalog_or_none,
            clock=self.clock,
            site=self.settings.url,
            mails=self.ticket_mails,
            sender=self._sender,
        )

    @cached_property
    def ticket_mails(self) -> TicketMails:
        from chalicelib.ticket_mails import TicketMails

        return TicketMails(message_id=self._message_id, clock=self.clock)

    @cached_property
    def handling(self) -> Handling:
        """What staff do with tickets."""
        from chalicelib.handling import Handling

        return Handling(
            store=self.store,
            tickets=self.tickets,
            mails=self.ticket_mails,
            catalog=self.catalog_or_none,
            clock=self.clock,
        )

    @cached_property
    def fixes(self) -> Fixes:
        """Replies to tickets whose known issue is fixed."""
        from chalicelib.fixes import Fixes

        return Fixes(store=self.store, catalog=self.catalog, clock=self.clock, site=self.settings.url)

    @cached_property
    def attending(self) -> Attending:
        """What the desk does for tickets by itself."""
        from chalicelib.attending import Attending

        return Attending(
            store=self.store, mails=self.ticket_mails, catalog=self.catalog_or_none, clock=self.clock
        )

    @cached_property
    def lookups(self) -> Lookups:
        from chalicelib.lookups import Lookups

        # What is asked without an agreement needs neither.
        store = cast("Store", _OnFirstUse(lambda: self.store))
        files = cast("Files", _OnFirstUse(lambda: self.files))
        return Lookups(store=store, files=files, signer=self.signer, catalog=self.catalog, clock=self.clock)

    @cached_property
    def reminders(self) -> Reminders:
        from chalicelib.reminders import Reminders

        return Reminders(
            store=self.store,
            catalog=self.catalog,
            clock=self.clock,
            message_id=self._message_id,
            is_suppressed=self.store.is_suppressed,
        )

    @cached_property
    def subscriptions(self) -> Subscriptions:
        from chalicelib.subscriptions import Subscriptions

        return Subscriptions(
            store=self.store,
            mailings=self.store,
            signer=self.signer,
            catalog=self.catalog,
            catalog_or_none=self.catalog_or_none,
            clock=self.clock,
            site=self.settings.url,
            message_id=self._message_id,
        )

    @cached_property
    def sign_ins(self) -> SignIns:
        from chalicelib.customers import kept_address
        from chalicelib.sign_in import SignIns

        return SignIns(
            store=self.store,
            signer=self.signer,
            catalog=self.catalog_or_none,
            kept_address=partial(kept_address, self.store),
            clock=self.clock,
            site=self.settings.url,
            message_id=self._message_id,
            sender=self._sender,
        )

    @cached_property
    def web_sessions(self) -> WebSessions:
        from chalicelib.web_sessions import WebSessions

        return WebSessions(store=self.store, clock=self.clock)

    @cached_property
    def my_pages(self) -> MyPages:
        import secrets

        from chalicelib.me import MyPages

        return MyPages(
            store=self.store,
            signer=self.signer,
            catalog=self.catalog,
            clock=self.clock,
            web_sessions=self.web_sessions,
            ticket_url=self.tickets.url,
            subscription=self.subscriptions.of,
            site=self.settings.url,
            chance=partial(secrets.token_hex, 16),
        )

    @cached_property
    def my_calendars(self) -> MyCalendars:
        from chalicelib.my_calendar import MOST_TICKETS, MyCalendars, session_entries
        from chalicelib.sign_in import HOME

        return MyCalendars(
            store=self.store,
            pages=self.my_pages,
            catalog=self.catalog,
            today=lambda: self.clock().astimezone(self.catalog().hours.zone).date(),
            sessions=lambda address: session_entries(
                self.store.tickets_of(address, limit=MOST_TICKETS)[0],
                self.tickets.invitation,
                f"{self.settings.url}{HOME}",
            ),
            site=self.settings.url,
            host=self.tickets.host,
        )

    @cached_property
    def outbox(self) -> Outbox:
        from chalicelib.outbox import Outbox

        return Outbox(
            store=self.store,
            mailer=self.mailer,
            letters=self.letters,
            clock=self.clock,
        )

    @cached_property
    def letters(self) -> Mapping[str, LetterMaker]:
        """What makes the letter of each template."""
        from chalicelib.reminder_letters import ReminderLetters
        from chalicelib.reminders import TEMPLATES as REMINDER_TEMPLATES
        from chalicelib.sign_in import LETTER as SIGN_IN_LETTER
        from chalicelib.subscription_letters import TEMPLATES as SUBSCRIPTION_TEMPLATES
        from chalicelib.subscription_letters import SubscriptionLetters
        from chalicelib.ticket_letters import TEMPLATES as TICKET_TEMPLATES
        from chalicelib.ticket_letters import TicketLetters

        tickets = TicketLetters(
            store=self.store,
            catalog=self.catalog_or_none,
            url=self.tickets.url,
            sender=self._sender,
            invitation=self.tickets.invitation,
        )
        reminders = ReminderLetters(
            store=self.store, catalog=self.catalog_or_none, site=self.settings.url, sender=self._sender
        )
        subscriptions = SubscriptionLetters(subscriptions=self.subscriptions, sender=self._sender)
        return {
            **dict.fromkeys(TICKET_TEMPLATES, tickets),
            **dict.fromkeys(REMINDER_TEMPLATES, reminders),
            **dict.fromkeys(SUBSCRIPTION_TEMPLATES, subscriptions),
            SIGN_IN_LETTER: self.sign_ins.letter,
        }

    def act(self, who: str, what: str, about: str, detail: str = "") -> Act:
        """Something that a member of staff does now, for the verb that does it."""
        from uuid import uuid4

        from chalicelib.ports import Act

        return Act(id=uuid4().hex, who=who, what=what, about=about, detail=detail, when=self.clock())

    def look_up(self, agreement: str, key: str) -> RenewalAnswer:
        """See Lookups."""
        return self.lookups.look_up(agreement, key)

    def download(self, agreement: str, key: str, product: str, version: str, file: str) -> DownloadAnswer:
        """See Lookups."""
        return self.lookups.download(agreement, key, product, version, file)

    def updates(self, product: str, version: str, agreement: str = "", key: str = "") -> UpdatesAnswer:
        """See Lookups."""
        return self.lookups.updates(product, version, agreement, key)

    @cached_property
    def arrivals(self) -> Arrivals:
        from chalicelib.arrivals import Arrivals

        return Arrivals(files=self.files, attach=self.attach)

    def read_ticket(self, token: str) -> TicketView:
        """The ticket that `token` opens, with the files that have arrived by now. Raises NotFound,
        NotStored."""
        view = self.tickets.read(token)
        # While the file store cannot be reached, the ticket can still be read.
        with suppress(NotStored):
            return self.tickets.read(token) if self.arrivals.note(view.number) else view
        return view

    def attach(self, arrived: ArrivedUpload) -> TicketView:
        """Show an arrived file on its ticket; take it away again when the ticket does not hold it (it was
        there already, there are too many, or it could not be noted). Raises what `Tickets.attach` raises."""
        try:
            return self.tickets.attach(arrived)
        finally:
            with suppress(NotStored):
                if not self.tickets.holds(arrived):
                    self.files.discard(arrived)

    def health(self) -> dict[str, object]:
        """`{"ok", "store", "catalog": {"format", "build"} | null, "oldest_unsent_mail"}`; never raises."""
        from chalicelib.outbox import oldest_text

        answer: dict[str, object] = {"ok": True, "store": "ok", "catalog": None, "oldest_unsent_mail": None}
        try:
            answer["oldest_unsent_mail"] = oldest_text(self.store.oldest_unsent())
        except NotStored:
            answer |= {"ok": False, "store": "cannot be reached"}
        catalog = self.catalog_or_none()
        if catalog is None:
            answer["ok"] = False
        else:
            answer["catalog"] = {"format": 1, "build": catalog.build}
        return answer

    def _message_id(self) -> str:
        from uuid import uuid4

        return f"<{uuid4().hex}@{urlsplit(self.settings.url).hostname}>"

    @property
    def host(self) -> str:
        """What stands behind the @ of Message-IDs."""
        return urlsplit(self.settings.url).hostname or "localhost"

    @property
    def mails(self) -> Path:
        """Where the bindery lays out the newsletter: beside the site that the catalog belongs to. Raises
        SettingTrouble where that is no folder of this machine."""
        if self.settings.catalog.startswith("s3://"):
            raise SettingTrouble("the site is in a bucket: name the folder of its mails with --mails")
        return Path(os.path.realpath(self.settings.catalog)).parent.parent.parent / "mails"

    def leave_address(self) -> str:
        """Where somebody may write to be taken out: the policy's mailbox for it, or Client Services."""
        catalog = self.catalog_or_none()
        return (catalog.mailboxes.get("subscriptions") if catalog else "") or self.sender()

    def sender(self) -> str:
        """The From address of mails that name no other."""
        return self._sender()

    def _sender(self) -> str:
        catalog = self.catalog_or_none()
        box = (catalog.mailboxes.get("client_services") or catalog.vendor.email) if catalog else ""
        return box or f"support@{urlsplit(self.settings.url).hostname}"


class _OnFirstUse:
    """Stands for a part of the desk that is made when it is first asked for anything."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> object:
        return getattr(self._make(), name)


def desk(environ: Mapping[str, str] | None = None, clock: Clock | None = None) -> Desk:
    """A desk as `environ` (default: the process's) says. Nothing is opened yet. Raises SettingTrouble."""
    return Desk(Settings.read(os.environ if environ is None else environ), clock or _now)


def _now() -> datetime:
    return datetime.now(UTC)


def _setting(name: str, value: str, technique: str) -> str:
    if not value.startswith(f"{technique}:") or not value.removeprefix(f"{technique}:").strip("/"):
        example = {"dynamodb": "dynamodb:TABLE", "s3": "s3:BUCKET/prefix"}.get(
            technique, f"{technique}:var/…"
        )
        raise SettingTrouble(f"{name} must be such as '{example}', not '{value}'")
    return value.removeprefix(f"{technique}:")


def smtp_mailer(value: str) -> SmtpMailer:
    """`smtp://[user:password@]host[:port][?security=starttls|tls]`. Raises SettingTrouble."""
    from chalicelib.smtp_mailer import SmtpMailer

    parts = urlsplit(value)
    security = parse_qs(parts.query).get("security", [""])[0]
    try:
        port = parts.port or {"": 25, "starttls": 587, "tls": 465}[security]
    except (ValueError, KeyError):
        port = 0
    if parts.scheme != "smtp" or not parts.hostname or not port:
        # The value is not repeated: it may hold a password.
        raise SettingTrouble(
            "SUPPORT_MAIL must be such as 'eml:var/mail', 'smtp://user:password@host:587?security=starttls' "
            "or 'ses:'"
        )
    return SmtpMailer(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        security=security,
    )


def kept_secret(path: Path) -> bytes:
    """The secret in `path`, made there once (mode 0600) when it is missing. Raises NotStored."""
    import secrets
    import uuid

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        if not path.exists():
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            # A link, not a rename: of two processes that start at once, the first one's secret stays.
            with suppress(FileExistsError):
                path.hardlink_to(part)
            part.unlink()
        return path.read_bytes().strip()
    except OSError as trouble:
        raise NotStored("The desk cannot keep its secret: var/ is not writable.") from trouble
