-- Who gets mails. Instants are UTC text of one width; lists are JSON. folded: the address in the letters that find it.
CREATE TABLE subscribers (
    folded       TEXT PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    email        TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('unconfirmed', 'confirmed', 'left')),
    topics       TEXT NOT NULL,
    wanted       TEXT NOT NULL,
    salt         TEXT NOT NULL,
    asked        TEXT NOT NULL,
    source       TEXT NOT NULL,
    since        TEXT,
    changed      TEXT NOT NULL,
    leave_hash   TEXT NOT NULL,
    confirm_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX subscribers_by_state ON subscribers (state, folded);

-- Topics of those who are confirmed: what a mailing is frozen from.
CREATE TABLE subscriber_topics (
    topic  TEXT NOT NULL,
    folded TEXT NOT NULL REFERENCES subscribers ON DELETE CASCADE,
    PRIMARY KEY (topic, folded)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscriber_topics_by_address ON subscriber_topics (folded);

-- The links of subscribers, for good: who left, or is forgotten, may press them again.
CREATE TABLE subscriber_tokens (
    token  TEXT PRIMARY KEY,
    folded TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX subscriber_tokens_by_address ON subscriber_tokens (folded);

-- Addresses whose mails came back or were complained of. reason: '' while that is not final.
CREATE TABLE suppressions (
    folded TEXT PRIMARY KEY,
    email  TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    since  TEXT NOT NULL,
    soft   TEXT NOT NULL
) STRICT, WITHOUT ROWID
