"""Hands mails to Amazon SES (version 2 of its API), as they are: raw, for one explicit recipient.

SES puts a Message-ID of its own in the place of ours, so two tries of one mail arrive as two; nothing can
promise more. Each call is made once: a lost answer is not asked again by the SDK but by the outbox, which
counts.
"""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from chalicelib import aws
from chalicelib.ports import MailTrouble
from chalicelib.ports.mailings import HandOverUnknown

_PERMANENT = {"MessageRejected", "BadRequestException"}
"""What SES says of this very mail; all else is said of the account, the settings or the moment: it waits."""


def connect_aws() -> Any:
    """The SDK's client."""
    retries = {"total_max_attempts": 1, "mode": "standard"}
    return aws.client("sesv2", retries=retries, connect_timeout=10, read_timeout=20)


class SesMailer:
    """`Mailer` over SES. `client` makes the SDK's client, on first use. `configuration_set` names the
    one that tells of bounces and complaints, "" for none."""

    def __init__(self, client: Callable[[], Any], configuration_set: str) -> None:
        self._make = client
        self._made: Any = None
        self._set = {"ConfigurationSetName": configuration_set} if configuration_set else {}

    def deliver(self, message: EmailMessage, recipient: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError

        try:
            if self._made is None:
                self._made = self._make()
            self._made.send_email(
                FromEmailAddress=message["From"].addresses[0].addr_spec,
                Destination={"ToAddresses": [recipient]},
                Content={"Raw": {"Data": message.as_bytes()}},
                **self._set,
            )
        except ClientError as refused:
            code = refused.response["Error"]["Code"]
            # An account that may send to checked addresses only says so of every mail: that will change.
            sandbox = "not verified" in refused.response["Error"].get("Message", "")
            raise MailTrouble(f"SES said {code}", permanent=code in _PERMANENT and not sandbox) from None
        except (ConnectionClosedError, ReadTimeoutError) as lost:
            raise HandOverUnknown(f"SES did not answer ({type(lost).__name__})") from None
        except BotoCoreError as trouble:
            raise MailTrouble(f"SES cannot be reached ({type(trouble).__name__})", permanent=False) from None

    def close(self) -> None:
        """Close the client's connections; the mailer can be used again afterwards."""
        if self._made is not None:
            self._made.close()
            self._made = None
