"""What a customer may look up: the state of an agreement, a download, the newest release.

An agreement is opened by its key, or without one by who has signed in (`address`) as one of its contacts.
Unknown agreement, wrong key, another's and withdrawn agreement are refused in the same words after the same
work. Without a key and a sign-in nothing is looked up: what is missing is said, whatever the number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.addresses import folded
from chalicelib.agreements import Agreement
from chalicelib.catalog import Catalog, File, Product, Release
from chalicelib.durations import duration, same_day_later
from chalicelib.entitlement import Entitlement, entitlement
from chalicelib.hours import day_text, moment_text
from chalicelib.refusals import FieldProblem, Invalid, NotEntitled, NotFound
from chalicelib.signing import Signer, fingerprint, read_key, same
from chalicelib.standing import ReleaseName, RenewalAnswer, decided, newest_given, standing

if TYPE_CHECKING:
    from chalicelib.ports import Clock, Files, Store

LINK_TIME = timedelta(minutes=5)
PAGE_TIME = timedelta(minutes=10)
_NO_KEY = "-" * 64
"""As long as a fingerprint, and none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DownloadAnswer:
    """A link to one file until `expires` (vendor's zone; in words in `expires_text`). `size` in bytes."""

    product: str
    version: str
    file: str
    url: str
    expires: datetime
    expires_text: str
    sha256: str
    size: int
    because: tuple[str, ...]
    notes_url: str
    decision: Entitlement

    def as_json(self) -> dict[str, object]:
        return {
            "product": self.product,
            "version": self.version,
            "file": self.file,
            "url": self.url,
            "expires": self.expires.isoformat(),
            "sha256": self.sha256,
            "size": self.size,
            "because": list(self.because),
            "notes_url": self.notes_url,
            **decided(self.decision),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdatesAnswer:
    """`newest_entitled` is None when no agreement was given, or none is entitled: `because` says which.

    `supported_until` is None while no next version is out; then `earliest_end` is the earliest day that
    this could become, were the next version released today.
    """

    product: str
    version: str
    newest: ReleaseName
    newest_entitled: ReleaseName | None
    supported: bool
    supported_until: date | None
    earliest_end: date | None
    because: tuple[str, ...]
    decision: Entitlement | None

    def as_json(self) -> dict[str, object]:
        return {
            "product": self.product,
            "version": self.version,
            "newest": self.newest.as_json(),
            "newest_entitled": self.newest_entitled.as_json() if self.newest_entitled else None,
            "supported": self.supported,
            "supported_until": self.supported_until.isoformat() if self.supported_until else None,
            "earliest_end": self.earliest_end.isoformat() if self.earliest_end else None,
            "because": list(self.because),
            **decided(self.decision),
        }


@dataclass(frozen=True, kw_only=True)
class Lookups:
    """The use cases. `catalog` raises NotAvailable while there is none."""

    store: Store
    files: Files
    signer: Signer
    catalog: Callable[[], Catalog]
    clock: Clock

    def look_up(self, agreement: str, key: str, *, address: str = "") -> RenewalAnswer:
        """The state of one's own agreement. Raises Invalid, NotFound, NotAvailable."""
        return self._renewal(self._mine(agreement, key, address))

    def renewal_page(self, agreement: str, key: str, *, address: str = "") -> str:
        """A word for the address of a page that shows `look_up` for ten minutes; it holds no key."""
        found = self._mine(agreement, key, address)
        return self.signer.seal("renewal page", {"agreement": found.agreement}, self.clock() + PAGE_TIME)

    def renewal_on_page(self, word: str) -> RenewalAnswer:
        """Raises Forbidden (changed), Expired, NotFound (withdrawn meanwhile)."""
        claim = self.signer.open("renewal page", word, self.clock())
        return self._renewal(self._standing(str(claim["agreement"])))

    def download(
        self, agreement: str, key: str, product: str, version: str, file: str, *, address: str = ""
    ) -> DownloadAnswer:
        """A link to one file, for five minutes. `file` may be "" when the release has one file.

        Raises Invalid, NotFound, NotEntitled, NotAvailable.
        """
        _asked(product=product, version=version)
        return self._download(self._mine(agreement, key, address), product, version, file)

    def download_page(
        self, agreement: str, key: str, product: str, version: str, file: str, *, address: str = ""
    ) -> str:
        """A word for the address of a page that shows a fresh `download` for ten minutes. Raises what that
        raises."""
        answer = self.download(agreement, key, product, version, file, address=address)
        claim = {"agreement": agreement.strip(), "product": product, "version": version, "file": answer.file}
        return self.signer.seal("download page", claim, self.clock() + PAGE_TIME)

    def download_on_page(self, word: str) -> DownloadAnswer:
        """Raises Forbidden, Expired, NotFound, NotEntitled, NotAvailable."""
        opened = self.signer.open("download page", word, self.clock())
        claim = {name: str(value) for name, value in opened.items()}
        held = self._standing(claim["agreement"])
        return self._download(held, claim["product"], claim["version"], claim["file"])

    def updates(
        self, product: str, version: str, agreement: str = "", key: str = "", *, address: str = ""
    ) -> UpdatesAnswer:
        """The newest release, the newest that the agreement gives, and how long `version` is supported.

        Raises Invalid, NotFound (agreement given, but it or its key is wrong), NotAvailable.
        """
        _asked(product=product, version=version)
        held = self._mine(agreement, key, address) if agreement.strip() or key.strip() else None
        catalog, today = self.catalog(), self._today()
        line, release = _release(catalog, product, version)
        out = [other for other in line.ordered if other.released <= today] or [release]
        because = [*release.because]
        newest_entitled, decision = None, None
        if held is None:
            because.append("No agreement was given, so nothing is said about what you may install.")
        else:
            newest_entitled, decision, reasons = newest_given(held, catalog, today)
            because.extend(reasons)
        ends = release.support_ends
        return UpdatesAnswer(
            product=product,
            version=version,
            newest=ReleaseName.of(out[-1]),
            newest_entitled=newest_entitled,
            supported=ends is None or today <= ends,
            supported_until=ends,
            earliest_end=_earliest_end(release, today) if ends is None else None,
            because=tuple(because),
            decision=decision,
        )

    def _today(self) -> date:
        return self.clock().astimezone(self.catalog().hours.zone).date()

    def _mine(self, number: str, key: str, address: str) -> Agreement:
        _asked(agreement=number, **({} if address else {"key": key}))
        # The same work, in the same order, whatever is wrong with the two: nothing is left out early.
        today = self._today()
        kept = self.store.key_hashes(number.strip(), self.clock())
        agreement = self.store.agreement(number.strip())
        given = fingerprint(read_key(key))
        right = [same(one, given) for one in (*kept, *[_NO_KEY] * (2 - len(kept)))]
        contacts = [folded(contact) for contact in agreement.contacts] if agreement else []
        # A key that was given decides: who mistypes it is told so, signed in or not.
        own = not key.strip() and address != "" and folded(address) in contacts
        if not (any(right) or own) or agreement is None or _withdrawn(agreement, today):
            raise NotFound
        return agreement

    def _standing(self, number: str) -> Agreement:
        today, agreement = self._today(), self.store.agreement(number)
        if agreement is None or _withdrawn(agreement, today):
            raise NotFound
        return agreement

    def _renewal(self, agreement: Agreement) -> RenewalAnswer:
        return standing(agreement, self.catalog(), self._today())

    def _download(self, agreement: Agreement, product: str, version: str, file: str) -> DownloadAnswer:
        catalog, today, now = self.catalog(), self._today(), self.clock()
        _, release = _release(catalog, product, version)
        chosen = _file(release, file)
        decision = entitlement(agreement, catalog.rules, release, today)
        if not decision.entitled:
            raise NotEntitled(
                f"Agreement {agreement.agreement} does not give {version}.",
                because=decision.because,
                would_change=decision.would_change,
                rule=decision.rule,
                compared=decision.compared,
            )
        # The end is written in whole seconds into the link, so the answer says the same.
        expires = (now + LINK_TIME).replace(microsecond=0)
        path = f"releases/{product}/{version}/{chosen.name}"
        return DownloadAnswer(
            product=product,
            version=version,
            file=chosen.name,
            url=self.files.link(path, size=chosen.size, sha256=chosen.sha256, expires=expires),
            expires=expires.astimezone(catalog.hours.zone),
            expires_text=moment_text(expires, catalog.hours),
            sha256=chosen.sha256,
            size=chosen.size,
            because=(*decision.because, *_past_support(release, today)),
            notes_url=release.url,
            decision=decision,
        )


def _withdrawn(agreement: Agreement, today: date) -> bool:
    return agreement.withdrawn is not None and today >= agreement.withdrawn


def _asked(**fields: str) -> None:
    words = {
        "agreement": "Enter the number of your agreement.",
        "key": "Enter the key of your agreement, or sign in and leave it empty.",
        "product": "Choose a product.",
        "version": "Choose a version.",
    }
    problems = [
        FieldProblem(field=name, message=words[name]) for name, value in fields.items() if not value.strip()
    ]
    if problems:
        raise Invalid(problems)


def _refuse(field: str, message: str) -> Invalid:
    return Invalid([FieldProblem(field=field, message=message)])


def _release(catalog: Catalog, product: str, version: str) -> tuple[Product, Release]:
    line = catalog.products.get(product)
    if line is None:
        names = ", ".join(sorted(catalog.products))
        raise _refuse("product", f"There is no such product. Choose one of {names}.")
    release = line.releases.get(version)
    if release is None:
        newest = line.ordered[-1].version if line.ordered else "none yet"
        raise _refuse("version", f"There is no such version of {line.name}. The newest is {newest}.")
    return line, release


def _file(release: Release, name: str) -> File:
    if not release.files:
        raise _refuse("version", f"{release.version} has no file to download. Its page says how to get it.")
    if not name and len(release.files) == 1:
        return release.files[0]
    for file in release.files:
        if file.name == name:
            return file
    names = ", ".join(file.name for file in release.files)
    raise _refuse("file", f"Choose one of the files of {release.version}: {names}.")


def _past_support(release: Release, today: date) -> tuple[str, ...]:
    if release.support_ends is None or today <= release.support_ends:
        return ()
    return (f"Support of {release.version} ended on {day_text(release.support_ends)}.",)


def _earliest_end(release: Release, today: date) -> date | None:
    if not release.ends_after_next:
        return None
    return same_day_later(today, duration(release.ends_after_next))
