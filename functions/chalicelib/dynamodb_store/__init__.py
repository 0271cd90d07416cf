"""The store on AWS: one DynamoDB table, every verb that changes something one transaction.

No verb of a visitor's request scans. A module for each thing that is kept; `table` has what they share, and
`items` says under which keys everything lies.
"""

from __future__ import annotations

from chalicelib.dynamodb_store.accounts import DynamoAccounts
from chalicelib.dynamodb_store.mailings import DynamoMailings
from chalicelib.dynamodb_store.reminders import DynamoReminders
from chalicelib.dynamodb_store.table import TABLE, connect_aws
from chalicelib.dynamodb_store.tickets import DynamoTickets

__all__ = ["TABLE", "DynamoStore", "connect_aws"]


class DynamoStore(DynamoTickets, DynamoReminders, DynamoMailings, DynamoAccounts):
    """`Store` on one DynamoDB table. It is given what makes the SDK's client, and the table's name."""
