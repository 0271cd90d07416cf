"""Clients of AWS's SDK, for the adapters: region, addresses and credentials come from the environment as AWS
sets it.

They are made of botocore, the part of boto3 that makes boto3's own clients. What boto3 adds (resources,
transfers in parts) is used nowhere here, and its import is a fifth of a cold start with a write.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

_lock = threading.Lock()


def client(service: str, **settings: object) -> Any:
    """A client of `service` with `settings` as botocore's `Config` takes them."""
    from botocore.config import Config

    # One session reads the SDK's data once; making clients of it is for one thread at a time.
    with _lock:
        return _session().create_client(service, config=Config(**settings))


@cache
def _session() -> Any:
    from botocore.session import get_session

    return get_session()


def forget_session() -> None:
    """Read the environment anew with the next client."""
    _session.cache_clear()
