"""The published site in a bucket: what was read is kept, and asked after again when it is half a minute old.

So an answer may be half a minute behind a publication; and while S3 cannot be reached, what was read last
stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.ports.site import SiteFile

FRESH = 30.0
"""Seconds for which S3 is not asked again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    tag: str
    text: bytes | None
    looked: float


class S3Site:
    """`Site` in `bucket`, below `prefix` ("" or one that ends with a slash). `client` makes the SDK's client,
    on first use; `now` counts seconds."""

    def __init__(self, client: Callable[[], Any], bucket: str, prefix: str, now: Callable[[], float]) -> None:
        self._make = client
        self._made: Any = None
        self._bucket = bucket
        self._prefix = prefix
        self._now = now
        self._kept: dict[str, _Kept] = {}

    def file(self, name: str) -> SiteFile | None:
        kept = self._kept.get(name)
        if kept is None or self._now() - kept.looked >= FRESH:
            kept = self._looked(name, kept)
            self._kept[name] = kept
        if kept.text is None:
            return None
        return SiteFile(mark=f"{name} {kept.tag}", read=kept.text.decode)

    def close(self) -> None:
        """Close the client's connections; the site can be read again afterwards."""
        if self._made is not None:
            self._made.close()
            self._made = None

    def _looked(self, name: str, kept: _Kept | None) -> _Kept:
        from botocore.exceptions import BotoCoreError, ClientError

        unless = {"IfNoneMatch": kept.tag} if kept is not None and kept.tag else {}
        try:
            if self._made is None:
                self._made = self._make()
            found = self._made.get_object(Bucket=self._bucket, Key=self._prefix + name, **unless)
            return _Kept(tag=found["ETag"], text=found["Body"].read(), looked=self._now())
        except ClientError as trouble:
            if trouble.response["Error"]["Code"] == "NoSuchKey":
                return _Kept(tag="", text=None, looked=self._now())
        except BotoCoreError:
            pass
        # Not changed, or not reached: what is known stands.
        return replace(kept, looked=self._now()) if kept else _Kept(tag="", text=None, looked=self._now())
