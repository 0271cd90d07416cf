"""SeaweedFS for tests: one S3 server that checks every signature, on ports of the system's choice; a bucket
each."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("weed")
KEY, SECRET, REGION = "AKIDOFTHETESTS", "the-secret-of-the-tests", "us-west-2"
_NAMES = ("master", "volume", "filer", "s3")


def present() -> bool:
    """Whether the server is there: `make dev` installs it."""
    return PROGRAM.exists()


@contextmanager
def running() -> Iterator[str]:
    """Its address; the server ends with the context."""
    with tempfile.TemporaryDirectory(prefix="seaweedfs-") as folder:
        for last in (False, False, True):
            port, process = _started(Path(folder))
            try:
                if _answers(port, process):
                    yield f"http://127.0.0.1:{port}"
                    return
            finally:
                process.kill()
                process.wait()
            if last:
                log = (Path(folder) / "log.txt").read_text("utf-8", "replace")
                raise RuntimeError(f"SeaweedFS did not start:\n{log[-2000:]}")


def environment(address: str) -> Mapping[str, str]:
    """What the SDK reads to ask that server and no other."""
    return {
        "AWS_ENDPOINT_URL_S3": address,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def client(address: str) -> Any:
    """A client of the SDK that asks that server and no other."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(signature_version="s3v4", retries={"max_attempts": 2, "mode": "standard"}),
    )


def bucket(address: str) -> str:
    """A new bucket; its name."""
    name = f"desk-{uuid.uuid4().hex}"
    made = client(address)
    made.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    made.close()
    return name


def _started(folder: Path) -> tuple[int, subprocess.Popen[bytes]]:
    shutil.rmtree(folder / "data", ignore_errors=True)
    (folder / "data").mkdir()
    who = {"name": "desk", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [who]}))
    ports = _free(2 * len(_NAMES))
    command = [str(PROGRAM), "-logdir", str(folder), "server", "-dir", str(folder / "data"), "-filer", "-s3"]
    for name, port, grpc in zip(_NAMES, ports[::2], ports[1::2], strict=True):
        command += [f"-{name}.port={port}", f"-{name}.port.grpc={grpc}"]
    command += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    command += [f"-s3.config={folder / 's3.json'}", "-s3.iam=false", "-master.telemetry=false"]
    command += [f"-s3.localSocket={folder / 's3.sock'}", f"-filer.localSocket={folder / 'filer.sock'}"]
    command += ["-master.volumePreallocate=false", "-master.volumeSizeLimitMB=64", "-volume.max=40"]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    return ports[-2], process


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Whether it keeps something within a minute; several parts have to find each other first."""
    from botocore.exceptions import BotoCoreError, ClientError

    address, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            name = bucket(address)
            client(address).put_object(Bucket=name, Key="a", Body=b"a")
            return True
        except (OSError, BotoCoreError, ClientError):
            time.sleep(0.2)
    return False


def _free(count: int) -> list[int]:
    with ExitStack() as held:
        ports = []
        for _ in range(count):
            one = held.enter_context(socket.socket())
            one.bind(("127.0.0.1", 0))
            ports.append(int(one.getsockname()[1]))
        return ports
