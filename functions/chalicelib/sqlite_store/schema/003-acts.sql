-- What staff did, in the order in which it was done. Nothing here is changed or taken away.
CREATE TABLE acts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id     TEXT NOT NULL UNIQUE,
    who    TEXT NOT NULL,
    what   TEXT NOT NULL,
    about  TEXT NOT NULL,
    detail TEXT NOT NULL,
    "when" TEXT NOT NULL
) STRICT;
CREATE INDEX acts_about ON acts (about, number);
