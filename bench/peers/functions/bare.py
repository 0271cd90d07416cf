"""The least that answers on Lambda: a handler of the standard library."""

import json


def handler(event, context):
    body = {"path": event["path"], "ok": True}
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }
