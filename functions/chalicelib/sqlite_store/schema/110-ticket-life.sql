-- The whole life of a ticket: it waits for its customer too, has a history, and the desk looks at it by itself.
-- SQLite cannot change what a column is checked for, so the tables are made anew.
ALTER TABLE tickets RENAME TO tickets_before;
ALTER TABLE messages RENAME TO messages_before;
ALTER TABLE attachments RENAME TO attachments_before;

-- life: JSON of what nothing is searched by: promise, session, known, defects, first_due.
CREATE TABLE tickets (
    number           TEXT PRIMARY KEY,
    salt             TEXT NOT NULL,
    token_hash       TEXT NOT NULL UNIQUE,
    received         TEXT NOT NULL,
    reply_by         TEXT,
    reply_by_because TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('open', 'waiting', 'answered', 'closed')),
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
    first_answered   TEXT,
    attend_at        TEXT,
    revision         INTEGER NOT NULL,
    life             TEXT NOT NULL
) STRICT;
INSERT INTO tickets SELECT *, NULL, 1, '{}' FROM tickets_before;

CREATE TABLE messages (
    ticket   TEXT NOT NULL REFERENCES tickets,
    sequence INTEGER NOT NULL,
    who      TEXT NOT NULL CHECK (who IN ('visitor', 'staff')),
    author   TEXT NOT NULL,
    text     TEXT NOT NULL,
    "when"   TEXT NOT NULL,
    PRIMARY KEY (ticket, sequence)
) STRICT;
INSERT INTO messages SELECT * FROM messages_before;

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
INSERT INTO attachments SELECT * FROM attachments_before;

DROP TABLE messages_before;
DROP TABLE attachments_before;
DROP TABLE tickets_before;
CREATE INDEX tickets_by_state ON tickets (state, first_in_queue DESC, reply_by);
CREATE INDEX tickets_by_owner ON tickets (lower(email), received DESC, number DESC);
CREATE INDEX tickets_to_attend ON tickets (attend_at) WHERE attend_at IS NOT NULL;
CREATE INDEX attachments_by_ticket ON attachments (ticket, "when");

CREATE TABLE ticket_events (
    ticket   TEXT NOT NULL REFERENCES tickets,
    sequence INTEGER NOT NULL,
    "when"   TEXT NOT NULL,
    who      TEXT NOT NULL CHECK (who IN ('visitor', 'staff', 'desk')),
    author   TEXT NOT NULL,
    what     TEXT NOT NULL,
    facts    TEXT NOT NULL,
    PRIMARY KEY (ticket, sequence)
) STRICT;
INSERT INTO ticket_events SELECT number, 1, received, 'visitor', '', 'opened', '{}' FROM tickets;

-- Replies that the desk wrote and a person sends.
CREATE TABLE reply_drafts (
    id        TEXT PRIMARY KEY,
    ticket    TEXT NOT NULL REFERENCES tickets,
    defect    TEXT NOT NULL,
    "release" TEXT NOT NULL,
    text      TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dropped')),
    made      TEXT NOT NULL
) STRICT;
CREATE INDEX reply_drafts_by_state ON reply_drafts (state, made, id);
