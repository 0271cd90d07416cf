-- Whose agreements: a contact's address, folded in ASCII letters alone, as everywhere in the desk.
CREATE TABLE agreement_contacts (
    folded    TEXT NOT NULL,
    agreement TEXT NOT NULL REFERENCES agreements,
    PRIMARY KEY (folded, agreement)
) STRICT, WITHOUT ROWID;
CREATE INDEX agreement_contacts_by_agreement ON agreement_contacts (agreement);
INSERT OR IGNORE INTO agreement_contacts
SELECT lower(contact.value), agreements.agreement FROM agreements, json_each(agreements.contacts) AS contact;
