"""What Chalice's and boto3's first pages show: a client made at import, a write, an answer."""

import os
import uuid

import boto3
from chalice import Chalice

app = Chalice(app_name="plain")
table = boto3.client("dynamodb")


@app.route("/api/updates", methods=["POST"])
def updates():
    return {"ok": True}


@app.route("/api/tickets", methods=["POST"])
def tickets():
    number = uuid.uuid4().hex
    said = app.current_request.json_body
    item = {"pk": {"S": f"ticket {number}"}, "sk": {"S": "-"}, "doc": {"S": said["description"]}}
    table.put_item(TableName=os.environ.get("TABLE", ""), Item=item)
    return {"number": number}
