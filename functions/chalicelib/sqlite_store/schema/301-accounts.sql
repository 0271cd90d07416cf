-- People who sign in. Of every secret only the hash; an address is folded.
CREATE TABLE sign_ins (
    address    TEXT PRIMARY KEY,
    id         TEXT NOT NULL,
    salt       TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    browsers   TEXT NOT NULL,
    goes_to    TEXT NOT NULL,
    expires    TEXT NOT NULL,
    tries      INTEGER NOT NULL,
    used       INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_ins_by_expiry ON sign_ins (expires);
CREATE TABLE sessions (
    secret_hash TEXT PRIMARY KEY,
    id          TEXT NOT NULL,
    address     TEXT NOT NULL,
    browser     TEXT NOT NULL,
    began       TEXT NOT NULL,
    seen        TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_address ON sessions (address, began);
CREATE INDEX sessions_by_beginning ON sessions (began, id);
CREATE TABLE calendars (
    address    TEXT PRIMARY KEY,
    salt       TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE
) STRICT;
