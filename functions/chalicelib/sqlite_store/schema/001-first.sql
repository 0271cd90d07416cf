-- The one-machine store. Instants are UTC text of one width, so that they sort; days are ISO dates; lists are JSON.
CREATE TABLE tickets (
    number           TEXT PRIMARY KEY,
    salt             TEXT NOT NULL,
    token_hash       TEXT NOT NULL UNIQUE,
    received         TEXT NOT NULL,
    reply_by         TEXT,
    reply_by_because TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('open', 'answered', 'closed')),
    name             TEXT NOT NULL,
    email            TEXT NOT NULL,
    organization     TEXT NOT NULL,
    phone            TEXT NOT NULL,
    agreement        TEXT NOT NULL,
    product          TEXT NOT NULL,
    version          TEXT NOT NULL,
    kind             TEXT NOT NULL,
    severity         TEXT NOT NULL,
    subject          TEXT NOT NULL,
    description      TEXT NOT NULL,
    route            TEXT NOT NULL,
    mailbox          TEXT NOT NULL,
    route_because    TEXT NOT NULL,
    first_in_queue   INTEGER NOT NULL,
    covered          TEXT NOT NULL,
    assignee         TEXT NOT NULL,
    first_answered   TEXT
) STRICT;
CREATE INDEX tickets_by_state ON tickets (state, first_in_queue DESC, reply_by);

CREATE TABLE messages (
    ticket   TEXT NOT NULL REFERENCES tickets,
    sequence INTEGER NOT NULL,
    who      TEXT NOT NULL CHECK (who IN ('visitor', 'staff')),
    author   TEXT NOT NULL,
    text     TEXT NOT NULL,
    "when"   TEXT NOT NULL,
    PRIMARY KEY (ticket, sequence)
) STRICT;

CREATE TABLE attachments (
    id           TEXT PRIMARY KEY,
    ticket       TEXT NOT NULL REFERENCES tickets,
    name         TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size         INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'stored')),
    "when"       TEXT NOT NULL
) STRICT;
CREATE INDEX attachments_by_ticket ON attachments (ticket, "when");

-- What was received before. mark: 'key:<hash>' or 'content:<hash>'; result: a ticket's number.
CREATE TABLE identities (
    mark         TEXT PRIMARY KEY,
    content_hash TEXT NOT NULL,
    result       TEXT NOT NULL,
    expires      TEXT NOT NULL
) STRICT;
CREATE INDEX identities_by_expiry ON identities (expires);

CREATE TABLE agreements (
    agreement      TEXT PRIMARY KEY,
    customer       TEXT NOT NULL,
    stage          TEXT NOT NULL CHECK (stage IN ('implementation', 'accepted')),
    client_manager TEXT NOT NULL,
    product        TEXT NOT NULL,
    licence        TEXT NOT NULL CHECK (licence IN ('site', 'seat')),
    seats          INTEGER,
    starts         TEXT NOT NULL,
    paid           TEXT NOT NULL,
    contacts       TEXT NOT NULL,
    withdrawn      TEXT,
    key_hash       TEXT NOT NULL DEFAULT '',
    key_made       TEXT
) STRICT;

CREATE TABLE outbox (
    id         TEXT PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE,
    template   TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    folded     TEXT NOT NULL,
    ticket     TEXT NOT NULL,
    message    INTEGER NOT NULL,
    capped     INTEGER NOT NULL,
    created    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'suppressed')),
    attempts   INTEGER NOT NULL,
    next_try   TEXT NOT NULL,
    trouble    TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (state, next_try);
CREATE INDEX outbox_by_recipient ON outbox (folded, created);
