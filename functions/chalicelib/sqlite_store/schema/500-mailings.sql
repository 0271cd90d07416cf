-- Mails to many. topics: JSON. sender and lease: who sends it, and until when that is believed.
CREATE TABLE mailings (
    id      TEXT PRIMARY KEY,
    topics  TEXT NOT NULL,
    subject TEXT NOT NULL,
    digest  TEXT NOT NULL,
    started TEXT NOT NULL,
    sender  TEXT NOT NULL,
    lease   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mailings_by_start ON mailings (started, id);

CREATE TABLE deliveries (
    mailing    TEXT NOT NULL REFERENCES mailings,
    subscriber TEXT NOT NULL,
    email      TEXT NOT NULL,
    state      TEXT NOT NULL
        CHECK (state IN ('pending', 'sending', 'sent', 'failed', 'unknown', 'left', 'suppressed')),
    attempts   INTEGER NOT NULL,
    next_try   TEXT NOT NULL,
    trouble    TEXT NOT NULL,
    changed    TEXT NOT NULL,
    PRIMARY KEY (mailing, subscriber)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_by_state ON deliveries (mailing, state, subscriber);
CREATE INDEX deliveries_by_subscriber ON deliveries (subscriber);

-- Notices that were given, or that were there before the first was.
CREATE TABLE notices (
    id      TEXT PRIMARY KEY,
    "when" TEXT NOT NULL
) STRICT, WITHOUT ROWID
