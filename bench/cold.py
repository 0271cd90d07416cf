"""`python -m bench.cold`: how long a function that starts cold takes to its first answer, beside the least
that could answer and beside plain Chalice with boto3.

Everything runs as on Lambda, under AWS's own runtime client in a fresh process, from the archive that is
deployed; the runs are interleaved, so that what else the machine does meets all alike. Only the machine is
not Lambda's: compare the ratios, not the milliseconds.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from types import ModuleType

import click

from bench import runtime_api
from desk import packaging

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(__file__).with_name("peers") / "functions"
CATALOG = ROOT / "tests" / "desk" / "catalog.json"
BARE, ANSWERED, WRITTEN = "bare Python handler", "the desk, no AWS call", "the desk, one DynamoDB write"
AIMS = {ANSWERED: 2.2, WRITTEN: 9.0}
TICKET = {
    "name": "Pat Reader",
    "email": "pat@example.com",
    "kind": "defect",
    "severity": "P3",
    "product": "cityworks",
    "version": "24.1",
    "subject": "Large attachment stays at 99 percent",
    "description": "A video of 140 MB, in a sewer inspection.",
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A function, the request that it gets, and what its environment says."""

    name: str
    folder: Path
    handler: str
    event: Mapping[str, object]
    environ: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Row:
    """Medians: milliseconds to the first answer, milliseconds of processor, and how many times the bare
    handler's of the same round each of them is."""

    name: str
    wall: float
    cpu: float
    times_wall: float
    times_cpu: float


def event(path: str, body: object) -> dict[str, object]:
    """A POST as API Gateway hands it on."""
    return {
        "resource": path,
        "path": path,
        "httpMethod": "POST",
        "headers": {"content-type": "application/json", "accept": "application/json"},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": path,
            "httpMethod": "POST",
            "path": f"/desk{path}",
            "stage": "desk",
            "requestId": "one",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=15, show_default=True)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures to this file."
)
def main(rounds: int, json_file: Path | None) -> None:
    """Measure the first answer of functions that start cold."""
    dynamodb = _dynamodb_local()
    if not dynamodb.present():
        raise click.ClickException("DynamoDB Local is not there: `make test` fetches it, and java runs it")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-cold-")))
        archive, _ = packaging.package(folder / "package")
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder / "task")
        address = stack.enter_context(dynamodb.running())
        rows = measured(cases(folder / "task", address, dynamodb.table(address)), rounds)
    show(rows, rounds)
    if json_file:
        value = {"format": 1, "rounds": rounds, "rows": [asdict(row) for row in rows]}
        json_file.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def cases(task: Path, address: str, table: str) -> list[Case]:
    aws = {
        "AWS_ENDPOINT_URL_DYNAMODB": address,
        "AWS_REGION": "us-west-2",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    ours = {
        **aws,
        "PYTHONTZPATH": str(task / "tzdata" / "zoneinfo"),
        "SUPPORT_URL": "https://support.example.com",
        "SUPPORT_STORE": f"dynamodb:{table}",
        "SUPPORT_FILES": "s3:files",
        "SUPPORT_MAIL": "ses:",
        "SUPPORT_SECRET": "a secret for the measurement",
        # From a file, so that the first row asks AWS nothing.
        "SUPPORT_CATALOG": str(CATALOG),
    }
    updates = event("/api/updates", {"product": "cityworks", "version": "24.1"})
    ticket = event("/api/tickets", TICKET)
    return [
        Case(name=BARE, folder=PEERS, handler="bare.handler", event=updates, environ=aws),
        Case(name=ANSWERED, folder=task, handler="app.app", event=updates, environ=ours),
        Case(name=WRITTEN, folder=task, handler="app.app", event=ticket, environ=ours),
        Case(
            name="plain Chalice, no AWS call", folder=PEERS, handler="plain.app", event=updates, environ=aws
        ),
        Case(
            name="plain Chalice, one write",
            folder=PEERS,
            handler="plain.app",
            event=event("/api/tickets", TICKET),
            environ={**aws, "TABLE": table},
        ),
    ]


def measured(several: list[Case], rounds: int) -> list[Row]:
    """Each case once a round, in turn. Raises ClickException for an answer that is none."""
    runs: dict[str, list[runtime_api.Run]] = {case.name: [] for case in several}
    for number in range(rounds + 1):
        for case in several:
            try:
                done = runtime_api.run(case.folder, case.handler, [case.event], case.environ)
            except runtime_api.NoAnswer as trouble:
                raise click.ClickException(str(trouble)) from None
            if done.answers[0]["statusCode"] not in (200, 201):
                raise click.ClickException(f"{case.name}: {done.answers[0]}")
            if number:  # the first round only fills the machine's caches
                runs[case.name].append(done)
    return [
        Row(
            name=case.name,
            wall=1000 * median(run.wall for run in runs[case.name]),
            cpu=1000 * median(run.cpu for run in runs[case.name]),
            times_wall=median(_times(runs, case.name, "wall")),
            times_cpu=median(_times(runs, case.name, "cpu")),
        )
        for case in several
    ]


def _times(runs: Mapping[str, list[runtime_api.Run]], name: str, what: str) -> list[float]:
    pairs = zip(runs[name], runs[BARE], strict=True)
    return [getattr(mine, what) / getattr(bare, what) for mine, bare in pairs]


def show(rows: list[Row], rounds: int) -> None:
    click.echo(f"\nCold start to the first answer: medians of {rounds} rounds, ratios within each round\n")
    heads = ("wall ms", "CPU ms", "× bare, wall", "× bare, CPU", "aim, wall")
    click.echo(f"{'':30}" + "".join(f"{head:>14}" for head in heads))
    for row in rows:
        aim = AIMS.get(row.name)
        verdict = f"{aim:g}: {'reached' if row.times_wall <= aim else 'MISSED'}" if aim else ""
        cells = (
            f"{row.wall:.0f}",
            f"{row.cpu:.0f}",
            f"{row.times_wall:.2f}",
            f"{row.times_cpu:.2f}",
            verdict,
        )
        click.echo(f"{row.name:30}" + "".join(f"{cell:>14}" for cell in cells))


def _dynamodb_local() -> ModuleType:
    """The same server that the stores' contract is tried on."""
    path = ROOT / "tests" / "contract" / "dynamodb_local.py"
    spec = importlib.util.spec_from_file_location("dynamodb_local", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["dynamodb_local"] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(prog_name="python -m bench.cold")
