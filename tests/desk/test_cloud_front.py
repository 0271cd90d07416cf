"""What CloudFront is told of the pages, against what the one-machine server answers."""

from __future__ import annotations

import fnmatch
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from chalicelib import answers, wiring
from desk import cloud_front
from desk.published import OPEN, Published
from desk.server import Front

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FILES = (
    "index.html",
    "404.html",
    "releases/index.html",
    "releases/works/1.0/index.html",
    "releases/works/23.14.1/index.html",
    "papers/pipes/paper.pdf",
    "papers/pipes/paper.csl.json",
    "assets/css/site.0123abcd.css",
    "search/site/pagefind-worker.js",
    "search/site/wasm.en.pagefind",
    "feeds/all.atom",
    "feeds/all.json",
    "calendar/events.ics",
    "data/catalog.json",
    "support/answers/ticket.html",
    ".well-known/security.txt",
    "sitemap.xml",
    "robots.txt",
)
ASKED = (
    *(f"/{name.removesuffix('index.html')}" for name in FILES),
    *("/releases", "/releases/works/1.0", "/releases/works/23.14.1?from=mail&from=feed&x", "/releases/works"),
    *("/nowhere", "/nowhere/", "/nowhere.html", "/.git/config", "/data/.hidden", "/.well-known/other.txt"),
    *("/support/answers/", "/assets/", "/feeds/all.rss"),
    *("//evil.example/x", "//evil.example", "/a//b", "/a//", "//"),
)


@pytest.fixture
def public(tmp_path: Path) -> Path:
    folder = tmp_path / "public"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.mark.slow  # it asks Node, which the quick checks can do without
def test_the_function_finds_what_the_server_finds(public: Path) -> None:
    events = []
    for asked in ASKED:
        path, _, query = asked.partition("?")
        told: dict[str, Any] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name in told:
                told[name].setdefault("multiValue", [{"value": told[name]["value"]}]).append({"value": value})
            else:
                told[name] = {"value": value}
        events.append({"request": {"method": "GET", "uri": path, "querystring": told, "headers": {}}})
    run = (
        f"{cloud_front.function()}\nprocess.stdout.write(JSON.stringify({json.dumps(events)}.map(handler)));"
    )
    done = subprocess.run(["node", "-e", run], capture_output=True, text=True, check=True)
    server = Published(public)
    for asked, found in zip(ASKED, json.loads(done.stdout), strict=True):
        path, _, query = asked.partition("?")
        sent = server.answer("GET", path, query, lambda name: "")
        if "statusCode" in found:
            # The function does not know what is stored: what is missing is told at the next address.
            assert found["statusCode"] == 301
            assert not found["headers"]["location"]["value"].startswith("//"), asked
            if sent.status == 404:
                sent = server.answer("GET", path + "/", query, lambda name: "")
                assert sent.status == 404, asked
            else:
                assert (sent.status, dict(sent.headers)["Location"]) == (
                    301,
                    found["headers"]["location"]["value"],
                )
                assert dict(sent.headers)["Cache-Control"] == found["headers"]["cache-control"]["value"]
            continue
        stored = public / found["uri"].removeprefix("/")
        assert (200 if stored.is_file() else 404) == sent.status, asked
        if sent.file is not None:
            with sent.file as file:
                assert file.read() == stored.read_bytes()


def test_the_function_is_no_larger_than_cloud_front_takes() -> None:
    assert len(cloud_front.function().encode()) < 10_240


def told(policy: dict[str, Any]) -> dict[str, str]:
    """The headers that an answer gets by a policy, as CloudFront writes them."""
    config = policy["Properties"]["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    seconds = security["StrictTransportSecurity"]["AccessControlMaxAgeSec"]
    made = {
        "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "X-Content-Type-Options": "nosniff" if security["ContentTypeOptions"]["Override"] else "",
        "X-Frame-Options": security["FrameOptions"]["FrameOption"],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "Strict-Transport-Security": f"max-age={seconds}",
        **{one["Header"]: one["Value"] for one in config["CustomHeadersConfig"]["Items"]},
    }
    if "CorsConfig" in config:
        (made["Access-Control-Allow-Origin"],) = config["CorsConfig"]["AccessControlAllowOrigins"]["Items"]
    return made


@pytest.mark.parametrize("name", FILES)
def test_a_file_gets_the_headers_that_the_server_sends(public: Path, tmp_path: Path, name: str) -> None:
    made = cloud_front.template()["Resources"]
    config = made["Pages"]["Properties"]["DistributionConfig"]
    path = f"/{name}"
    chosen = next(
        (one for one in config["CacheBehaviors"] if fnmatch.fnmatchcase(path, one["PathPattern"])),
        config["DefaultCacheBehavior"],
    )
    given = told(made[chosen["ResponseHeadersPolicyId"]["Ref"]])
    environ = {"SUPPORT_URL": "https://support.example.com", "SUPPORT_VAR": str(tmp_path / "var")}
    desk = wiring.desk(environ, lambda: NOW)
    sent: dict[str, str] = {}

    def start(status: str, headers: list[tuple[str, str]], *rest: object) -> Callable[[bytes], object]:
        sent.update(headers)
        return lambda data: None

    asked = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "REMOTE_ADDR": "192.0.2.1"}
    wrapper = {"wsgi.file_wrapper": lambda file, size: file, "REQUEST_URI": path}
    body = Front(desk, public)({**asked, **wrapper}, start)  # type: ignore[arg-type]
    close = getattr(body, "close", None)
    if close:
        close()
    desk.store.close()
    of_the_file = {
        "Content-Type",
        "Content-Length",
        "ETag",
        "Cache-Control",
        "Vary",
        "Accept-Ranges",
        "X-Request-Id",
    }
    assert {key: value for key, value in sent.items() if key not in of_the_file} == given


def test_every_header_of_the_list_is_in_every_policy() -> None:
    made = cloud_front.template()["Resources"]
    wanted = {name for name, _ in answers.security_headers("https://site.example")}
    policies = [one for one in made.values() if one["Type"] == "AWS::CloudFront::ResponseHeadersPolicy"]
    assert len(policies) == 3
    for policy in policies:
        assert {name for name, value in told(policy).items() if value} - {
            "Access-Control-Allow-Origin"
        } == wanted


def test_an_answer_of_the_desk_is_kept_nowhere_and_never_replaced() -> None:
    front = cloud_front.template()["Resources"]["Front"]["Properties"]["DistributionConfig"]
    (desk,) = front["CacheBehaviors"]
    assert desk["PathPattern"] == "/api/*"
    assert desk["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # CachingDisabled
    assert desk["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # all but Host
    assert "POST" in desk["AllowedMethods"]
    assert "CustomErrorResponses" not in front
    assert OPEN == ("feeds/", "calendar/", "data/")
