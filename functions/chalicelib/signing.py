"""Secrets made, kept as hashes, and claims sealed with HMAC-SHA256 under SUPPORT_SECRET.

A sealed claim can be read by anyone who holds it, so it carries nothing secret. Each purpose has its own key.
OpenSSL is imported when something is first hashed: it takes milliseconds, and not every answer needs it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from chalicelib.refusals import Expired, Forbidden

NUMBER_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"
"""For what people read aloud: no vowels, so no words, and nothing that looks like something else."""


def fingerprint(secret: str) -> str:
    """What is kept of a secret: its SHA-256. Enough for secrets of 128 random bits or more."""
    import hashlib

    return hashlib.sha256(secret.encode()).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare in a time that does not tell where they differ."""
    import hmac

    return hmac.compare_digest(left.encode(), right.encode())


def ticket_number() -> str:
    """Eight drawn characters, as in 7K4P-92QM: enough to be told apart, no counter that tells how many
    there are."""
    import secrets

    drawn = "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(8))
    return f"{drawn[:4]}-{drawn[4:]}"


def agreement_key() -> str:
    """A key of 30 drawn characters in groups of five (142 bits)."""
    import secrets

    drawn = "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(30))
    return "-".join(drawn[start : start + 5] for start in range(0, 30, 5))


def read_key(typed: str) -> str:
    """A key as it was made, however it was typed: blanks, dashes and case do not count."""
    plain = "".join(c for c in typed if c.isascii() and c.isalnum()).upper()
    return "-".join(plain[start : start + 5] for start in range(0, len(plain), 5))


def read_code(typed: str) -> str:
    """A short code as it is compared, however it was typed."""
    return "".join(c for c in typed if c.isascii() and c.isalnum()).upper()


class Signer:
    """Seals and opens claims. `secret`: 16 bytes or more. Raises ValueError for a shorter one."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("SUPPORT_SECRET must hold at least 16 characters")
        self._secret = secret

    def token(self, purpose: str, *parts: str) -> str:
        """A secret of 256 bits that can be made again from `parts`: for the address of a ticket."""
        return _encode(self._mac(purpose, json.dumps(parts).encode()))

    def code(self, purpose: str, *parts: str) -> str:
        """A code of six characters, as in 7K4-P92, that can be made again from `parts`: for people to type,
        and only where the tries are counted (28 bits)."""
        number = int.from_bytes(self._mac(purpose, json.dumps(parts).encode()))
        drawn = ""
        for _ in range(6):
            number, place = divmod(number, len(NUMBER_ALPHABET))
            drawn += NUMBER_ALPHABET[place]
        return f"{drawn[:3]}-{drawn[3:]}"

    def seal(self, purpose: str, claim: Mapping[str, str | int], expires: datetime) -> str:
        """`claim` and its end as one word for a URL: "<base64>.<base64>"."""
        body = json.dumps(
            [int(expires.timestamp()), dict(claim)], separators=(",", ":"), sort_keys=True
        ).encode()
        return f"{_encode(body)}.{_encode(self._mac(purpose, body))}"

    def open(self, purpose: str, sealed: str, now: datetime) -> dict[str, str | int]:
        """The claim. Raises Forbidden when one character was changed, Expired when its time is over."""
        body_text, _, mac_text = sealed.partition(".")
        body = _decode(body_text)
        if body is None or not same(_encode(self._mac(purpose, body)), mac_text):
            raise Forbidden("This link was changed on its way, or is not one of ours. Ask for a new one.")
        ends, claim = json.loads(body)
        if now >= datetime.fromtimestamp(ends, UTC):
            raise Expired("The time of this link is over. Ask for a new one.")
        return dict(claim)

    def opened(
        self, purpose: str, sealed: str, now: datetime
    ) -> tuple[dict[str, str | int], datetime] | None:
        """The claim and its end; None for what `open` refuses."""
        try:
            claim = self.open(purpose, sealed, now)
        except Forbidden:
            return None
        ends, _ = json.loads(_decode(sealed.partition(".")[0]) or b"[0, 0]")
        return claim, datetime.fromtimestamp(ends, UTC)

    def _mac(self, purpose: str, body: bytes) -> bytes:
        import hmac

        key = hmac.digest(self._secret, purpose.encode(), "sha256")
        return hmac.digest(key, body, "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes | None:
    """The bytes, or None when `text` is not exactly what `_encode` writes (so that no second spelling
    passes)."""
    try:
        data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (ValueError, UnicodeEncodeError):
        return None
    return data if _encode(data) == text else None
