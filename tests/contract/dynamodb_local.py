"""Amazon's DynamoDB Local for tests: one server in memory on a port of the system's choice, a table each."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chalicelib.dynamodb_store import TABLE

FOLDER = Path(__file__).resolve().parents[2] / ".venv" / "dynamodb-local"


def present() -> bool:
    """Whether the server is there and Java to run it."""
    return (FOLDER / "DynamoDBLocal.jar").exists() and shutil.which("java") is not None


@contextmanager
def running() -> Iterator[str]:
    """Its address; the server ends with the context."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["java", "-Djava.library.path=DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", "-inMemory"]
    process = subprocess.Popen(
        [*command, "-disableTelemetry", "-port", str(port)],
        cwd=FOLDER,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError("DynamoDB Local did not start") from None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def client(address: str) -> Any:
    """A client of the SDK that asks that server and no other."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "dynamodb",
        endpoint_url=address,
        region_name="us-west-2",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(max_pool_connections=60, retries={"max_attempts": 3, "mode": "standard"}),
    )


def table(address: str) -> str:
    """A new table as the store wants it; its name."""
    name = f"desk-{uuid.uuid4().hex}"
    made = client(address)
    made.create_table(TableName=name, **json.loads(TABLE.read_text("utf-8")))
    made.close()
    return name
