"""The file store on AWS: one bucket, with links and upload forms that S3 itself checks.

`releases/<product>/<version>/<name>` holds downloads. An upload goes from the browser to
`incoming/<ticket>/<form>/<name>`, past the desk: so the desk looks there when a ticket is read and when its
worker runs, hashes what it finds, copies it to `attachments/<ticket>/<id>`, where no form can write, and
only then is it shown. S3 keeps an upload whole or not at all. Never says what a file is: nothing here is
opened.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import quote, unquote
from uuid import uuid4

from chalicelib import aws
from chalicelib.answers import to_be_saved
from chalicelib.ports import ANOTHER, HERE, MISSING, ArrivedUpload, Clock, UploadForm
from chalicelib.refusals import NotAvailable, NotStored

_FORM = "form."
"""How the place of a form without an announced file begins."""
_BYTES = "application/octet-stream"
_CHUNK = 1 << 20
_GONE = {"404", "NoSuchKey", "NotFound", "412", "PreconditionFailed"}


def connect_aws() -> Any:
    """The SDK's client."""
    return aws.client(
        "s3",
        signature_version="s3v4",
        # The bucket's name in the host: only so is the address the region's own, which never redirects.
        s3={"addressing_style": "virtual"},
        retries={"max_attempts": 3, "mode": "standard"},
    )


class S3Files:
    """`Files` in `bucket`, below `prefix` ("" or one that ends with a slash). `client` makes the SDK's
    client; it is called on first use."""

    def __init__(self, client: Callable[[], Any], bucket: str, prefix: str, clock: Clock) -> None:
        self._make = client
        self._made: Any = None
        self._bucket = bucket
        self._prefix = prefix
        self._clock = clock

    def link(self, path: str, *, size: int, sha256: str, expires: datetime) -> str:
        """The hash is S3's own (a SHA-256 checksum over the whole object), or where the object has none, as
        after an upload in parts, the one that was written into its metadata (`sha256`) when it was put."""
        key = self._prefix + path
        try:
            with _reached():
                head = self._head(key)
        except NotStored:
            raise NotAvailable("The file cannot be reached now. Please try later or call us.") from None
        if head is None:
            raise NotAvailable("The file is not here at the moment. Please try later or call us.")
        if _state(head, size, sha256) == ANOTHER:
            raise NotAvailable("The file here is not the one that was published. Please call us.")
        wanted = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentDisposition": to_be_saved(path.rpartition("/")[2]),
        }
        if head.get("VersionId", "null") != "null":
            # What was checked is what is given, whatever is put there in the next five minutes.
            wanted["VersionId"] = head["VersionId"]
        with _reached():
            made = self._client().generate_presigned_url(
                "get_object", Params=wanted, ExpiresIn=self._seconds(expires)
            )
        return str(made)

    def state(self, path: str, *, size: int, sha256: str) -> str:
        with _reached():
            return _state(self._head(self._prefix + path), size, sha256)

    def put(self, path: str, content: BinaryIO, *, size: int, sha256: str) -> None:
        """In one request, which S3 takes up to 5 GB, and which it refuses when the hash is another one."""
        with _reached():
            self._client().put_object(
                Bucket=self._bucket,
                Key=self._prefix + path,
                Body=content,
                ContentType=_BYTES,
                ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
                Metadata={"sha256": sha256},
            )

    def upload_form(
        self,
        *,
        ticket: str,
        attachment: str,
        name: str,
        content_type: str,
        expires: datetime,
        max_size: int,
        back: str,
    ) -> UploadForm:
        place = f"{self._prefix}incoming/{ticket}/"
        if attachment:
            # Quoted, so that no name can hold what S3 puts the file's own name in for.
            key, kind = f"{place}{attachment}/{quote(name, safe='')}", content_type
        else:
            # S3 puts the file's own name there; the policy holds to all that comes before it.
            key, kind = f"{place}{_FORM}{uuid4().hex}/${{filename}}", _BYTES
        then = {"success_action_redirect": back} if back else {"success_action_status": "201"}
        fields = {"Content-Type": kind, **then}
        limits = [["content-length-range", 1, max_size], *({one: fields[one]} for one in fields)]
        with _reached():
            made = self._client().generate_presigned_post(
                self._bucket, key, Fields=fields, Conditions=limits, ExpiresIn=self._seconds(expires)
            )
        return UploadForm(url=made["url"], fields=made["fields"], expires=expires, max_size=max_size)

    def arrived(self, ticket: str = "") -> Iterator[ArrivedUpload]:
        """Raises NotStored."""
        place = f"{self._prefix}incoming/" + (f"{ticket}/" if ticket else "")
        with _reached():
            pages = self._client().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=place):
                for found in page.get("Contents", ()):
                    taken = self._taken(found["Key"], found["ETag"])
                    if taken is not None:
                        yield taken

    def settled(self, arrived: ArrivedUpload) -> None:
        with _reached():
            self._client().delete_object(Bucket=self._bucket, Key=arrived.source)

    def discard(self, arrived: ArrivedUpload) -> None:
        """Take away a file that no ticket shows."""
        with _reached():
            self._client().delete_object(
                Bucket=self._bucket, Key=self._kept(arrived.ticket, arrived.attachment)
            )

    def attachment_path(self, ticket: str, attachment: str) -> str:
        """Where staff find an attachment: `s3://…`, as the command `aws s3 cp` takes it."""
        return f"s3://{self._bucket}/{self._kept(ticket, attachment)}"

    def close(self) -> None:
        """Close the client's connections; the store can be used again afterwards."""
        if self._made is not None:
            self._made.close()
            self._made = None

    def _taken(self, key: str, etag: str) -> ArrivedUpload | None:
        """An upload, copied to where no form can write; None when it was taken away or replaced meanwhile."""
        from botocore.exceptions import ClientError

        ticket, _, rest = key.removeprefix(f"{self._prefix}incoming/").partition("/")
        form, _, name = rest.partition("/")
        own = hashlib.sha256(f"{key}\0{etag}".encode()).hexdigest()[:32]
        chosen = own if form.startswith(_FORM) else form
        try:
            found = self._client().get_object(Bucket=self._bucket, Key=key, IfMatch=etag)
            digest, size = hashlib.sha256(), 0
            for chunk in found["Body"].iter_chunks(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
            sha256 = digest.hexdigest()
            if chosen == form and self._holds_other(ticket, form, sha256):
                chosen = own  # sent twice with the same form: what is shown already stays as it is
            self._client().copy_object(
                Bucket=self._bucket,
                Key=self._kept(ticket, chosen),
                CopySource={"Bucket": self._bucket, "Key": key},
                CopySourceIfMatch=etag,
                MetadataDirective="REPLACE",
                Metadata={"sha256": sha256},
                ContentType=_BYTES,
                ContentDisposition="attachment",
            )
        except ClientError as trouble:
            if trouble.response["Error"]["Code"] in _GONE:
                return None
            raise
        return ArrivedUpload(
            ticket=ticket,
            attachment=chosen,
            name=name if form.startswith(_FORM) else unquote(name),
            content_type=found["ContentType"] if chosen == form else _BYTES,
            size=size,
            sha256=sha256,
            source=key,
        )

    def _holds_other(self, ticket: str, attachment: str, sha256: str) -> bool:
        head = self._head(self._kept(ticket, attachment))
        return head is not None and head["Metadata"].get("sha256") != sha256

    def _head(self, key: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        try:
            return dict(self._client().head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED"))
        except ClientError as trouble:
            if trouble.response["Error"]["Code"] in _GONE:
                return None
            raise

    def _kept(self, ticket: str, attachment: str) -> str:
        return f"{self._prefix}attachments/{ticket}/{attachment}"

    def _seconds(self, expires: datetime) -> int:
        return max(1, int((expires - self._clock()).total_seconds()))

    def _client(self) -> Any:
        if self._made is None:
            self._made = self._make()
        return self._made


def _state(head: Mapping[str, Any] | None, size: int, sha256: str) -> str:
    if head is None:
        return MISSING
    return HERE if head["ContentLength"] == size and _sha256(head) == sha256 else ANOTHER


def _sha256(head: Mapping[str, Any]) -> str:
    checksum = head.get("ChecksumSHA256", "")
    # A checksum of checksums (of an upload in parts) ends with the number of parts.
    if checksum and "-" not in checksum and head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT":
        try:
            return base64.b64decode(checksum, validate=True).hex()
        except binascii.Error:
            return ""
    return str(head["Metadata"].get("sha256", "")).lower()


@contextmanager
def _reached() -> Iterator[None]:
    """What the SDK says of the network, of credentials and of the service becomes NotStored."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as trouble:
        raise NotStored("The file store cannot be reached now. It is safe to try again.") from trouble
