-- A key that was rotated may open its agreement for some days more.
ALTER TABLE agreements ADD COLUMN old_key_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE agreements ADD COLUMN old_key_until TEXT;

-- Reminders that were given. stage: so many days before the cover ends; -1 after it.
CREATE TABLE reminders (
    agreement TEXT NOT NULL,
    ends      TEXT NOT NULL,
    stage     INTEGER NOT NULL,
    "when"    TEXT NOT NULL,
    PRIMARY KEY (agreement, ends, stage)
) STRICT, WITHOUT ROWID;
