-- name: agreement
SELECT * FROM agreements WHERE agreement = :number
-- name: agreements
SELECT * FROM agreements ORDER BY agreement
-- name: agreements_of
SELECT agreements.* FROM agreements JOIN agreement_contacts USING (agreement)
WHERE agreement_contacts.folded = :folded ORDER BY agreement
-- name: forget_contacts
DELETE FROM agreement_contacts WHERE agreement = :agreement
-- name: keep_contact
INSERT OR IGNORE INTO agreement_contacts (folded, agreement) VALUES (:folded, :agreement)
-- name: keep_agreement
INSERT INTO agreements
    (agreement, customer, stage, client_manager, product, licence, seats, starts, paid, contacts, withdrawn)
VALUES
    (:agreement, :customer, :stage, :client_manager, :product, :licence, :seats, :starts, :paid, :contacts,
     :withdrawn)
ON CONFLICT (agreement) DO UPDATE SET
    customer = excluded.customer, stage = excluded.stage, client_manager = excluded.client_manager,
    product = excluded.product, licence = excluded.licence, seats = excluded.seats, starts = excluded.starts,
    paid = excluded.paid, contacts = excluded.contacts, withdrawn = excluded.withdrawn
-- name: key_hash
SELECT key_hash FROM agreements WHERE agreement = :number
-- name: key_hashes
SELECT key_hash, old_key_hash, old_key_until FROM agreements WHERE agreement = :number
-- name: set_key
UPDATE agreements
SET old_key_hash = CASE WHEN :old_until IS NULL THEN '' ELSE key_hash END, old_key_until = :old_until,
    key_hash = :key_hash, key_made = :now
WHERE agreement = :number
