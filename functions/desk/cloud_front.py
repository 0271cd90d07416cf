"""What CloudFront is told of the pages: `aws/pages.json` with the headers that the one-machine server sends
too, from the same list, and the function that finds the object of an address."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chalicelib import answers
from desk import published

AWS = Path(__file__).resolve().parents[1] / "aws"
_HTTPS = "https://site.example"
_STRICT = "Strict-Transport-Security"


def template() -> dict[str, Any]:
    """The part of the template that stands before the pages."""
    said: dict[str, Any] = json.loads((AWS / "pages.json").read_text(encoding="utf-8"))
    made = said["Resources"]
    made["PagesFunction"]["Properties"]["FunctionCode"] = function()
    made["PagesHeaders"] = headers("pages", answers.security_headers(_HTTPS))
    made["OpenHeaders"] = headers("open", answers.security_headers(_HTTPS), anybody=True)
    made["WorkerHeaders"] = headers("worker", answers.security_headers(_HTTPS, answers.SEARCH_WORKER))
    distribution = made["Pages"]["Properties"]["DistributionConfig"]
    distribution["DefaultCacheBehavior"] = behaviour("PagesHeaders")
    distribution["CacheBehaviors"] = [
        {"PathPattern": answers.SEARCH_WORKER, **behaviour("WorkerHeaders")},
        *({"PathPattern": f"/{folder}*", **behaviour("OpenHeaders")} for folder in published.OPEN),
    ]
    return said


def function() -> str:
    """The text of the function, with the endings that name a file and not a folder."""
    told = json.dumps(sorted(published.TYPES))
    return f"const FILES = {told};\n{(AWS / 'pages.js').read_text(encoding='utf-8')}"


def behaviour(policy: str) -> dict[str, Any]:
    """How pages are answered, with the headers of that policy."""
    return {
        "TargetOriginId": "bucket",
        "ViewerProtocolPolicy": "https-only",
        "AllowedMethods": ["GET", "HEAD", "OPTIONS"],
        "Compress": True,
        "CachePolicyId": {"Ref": "PagesFresh"},
        "ResponseHeadersPolicyId": {"Ref": policy},
        "FunctionAssociations": [
            {
                "EventType": "viewer-request",
                "FunctionARN": {"Fn::GetAtt": ["PagesFunction", "FunctionARN"]},
            }
        ],
    }


def headers(name: str, said: tuple[tuple[str, str], ...], *, anybody: bool = False) -> dict[str, Any]:
    """A response headers policy. CloudFront has a place of its own for most that keep a page safe; `anybody`
    lets pages of other sites read the answer."""
    left = dict(said)
    seconds = int(left.pop(_STRICT).removeprefix("max-age="))
    security = {
        "ContentSecurityPolicy": {
            "ContentSecurityPolicy": left.pop(answers.CONTENT_POLICY),
            "Override": True,
        },
        "ContentTypeOptions": {"Override": left.pop("X-Content-Type-Options") == "nosniff"},
        "FrameOptions": {"FrameOption": left.pop("X-Frame-Options"), "Override": True},
        "ReferrerPolicy": {"ReferrerPolicy": left.pop("Referrer-Policy"), "Override": True},
        "StrictTransportSecurity": {
            "AccessControlMaxAgeSec": seconds,
            "IncludeSubdomains": False,
            "Preload": False,
            "Override": True,
        },
    }
    config: dict[str, Any] = {
        "Name": {"Fn::Sub": f"${{AWS::StackName}}-{name}"},
        "SecurityHeadersConfig": security,
        "CustomHeadersConfig": {
            "Items": [{"Header": header, "Value": value, "Override": True} for header, value in left.items()]
        },
    }
    if anybody:
        config["CorsConfig"] = {
            "AccessControlAllowCredentials": False,
            "AccessControlAllowHeaders": {"Items": ["*"]},
            "AccessControlAllowMethods": {"Items": ["GET", "HEAD"]},
            "AccessControlAllowOrigins": {"Items": ["*"]},
            "OriginOverride": True,
        }
    return {
        "Type": "AWS::CloudFront::ResponseHeadersPolicy",
        "Properties": {"ResponseHeadersPolicyConfig": config},
    }
