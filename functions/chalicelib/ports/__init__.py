"""The doors of the domain: what it asks of a store, a file store and a mailer.

The verbs are business transactions: each is one SQLite transaction (or one DynamoDB write or transaction),
with the mails and the act of staff that belong to it. The values are what a store keeps; they hold no token
in the clear. Nothing here knows a technique. A module for each thing that is kept.
"""

from __future__ import annotations

from typing import Protocol

from chalicelib.ports.accounts import AccountStore, CalendarLink, Forgotten, SignIn, WebSession
from chalicelib.ports.agreements import AgreementStore, Approval, Imported
from chalicelib.ports.audit import Act, AuditStore
from chalicelib.ports.clock import Clock
from chalicelib.ports.files import ANOTHER, HERE, MISSING, ArrivedUpload, Files, UploadForm, UploadReceiver
from chalicelib.ports.identity import CONTENT_KEPT, KEY_KEPT, Identity, KeyReused
from chalicelib.ports.mailings import Delivery, Mailing, MailingStore, Outcome
from chalicelib.ports.mails import MAIL_CAPS, Mailer, MailStore, MailTrouble, Outgoing, QueuedMail
from chalicelib.ports.reminders import Reminded, ReminderStore
from chalicelib.ports.site import Site, SiteFile
from chalicelib.ports.subscriptions import (
    ImportedSubscribers,
    Subscriber,
    SubscriptionStore,
    Suppression,
)
from chalicelib.ports.tickets import (
    ANNOUNCED_FOR,
    Attachment,
    AttachmentsFull,
    Change,
    DraftGone,
    Event,
    Message,
    NumberTaken,
    ReplyDraft,
    Session,
    Ticket,
    TicketStore,
)

__all__ = [
    "ANNOUNCED_FOR",
    "ANOTHER",
    "CONTENT_KEPT",
    "HERE",
    "KEY_KEPT",
    "MAIL_CAPS",
    "MISSING",
    "AccountStore",
    "Act",
    "AgreementStore",
    "Approval",
    "ArrivedUpload",
    "Attachment",
    "AttachmentsFull",
    "AuditStore",
    "CalendarLink",
    "Change",
    "Clock",
    "Delivery",
    "DraftGone",
    "Event",
    "Files",
    "Forgotten",
    "Identity",
    "Imported",
    "ImportedSubscribers",
    "KeyReused",
    "MailStore",
    "MailTrouble",
    "Mailer",
    "Mailing",
    "MailingStore",
    "Message",
    "NumberTaken",
    "Outcome",
    "Outgoing",
    "QueuedMail",
    "Reminded",
    "ReminderStore",
    "ReplyDraft",
    "Session",
    "SignIn",
    "Site",
    "SiteFile",
    "Store",
    "Subscriber",
    "SubscriptionStore",
    "Suppression",
    "Ticket",
    "TicketStore",
    "UploadForm",
    "UploadReceiver",
    "WebSession",
]


class Store(
    TicketStore,
    AgreementStore,
    ReminderStore,
    SubscriptionStore,
    AccountStore,
    MailingStore,
    MailStore,
    AuditStore,
    Protocol,
):
    """Everything that must not be lost. Every verb raises `NotStored` when the disk is full, read-only or
    gone; then nothing of it was kept. A verb that returns has been committed and synced."""
