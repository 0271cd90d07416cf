-- name: insert_ticket
INSERT INTO tickets VALUES (
    :number, :salt, :token_hash, :received, :reply_by, :reply_by_because, :state, :name, :email, :organization,
    :phone, :agreement, :product, :version, :kind, :severity, :subject, :description, :route, :mailbox,
    :route_because, :first_in_queue, :covered, :assignee, :first_answered)
-- name: ticket
SELECT * FROM tickets WHERE number = :number
-- name: ticket_by_token
SELECT * FROM tickets WHERE token_hash = :token_hash
-- name: tickets
SELECT * FROM tickets WHERE state IN (SELECT value FROM json_each(:states))
ORDER BY first_in_queue DESC, reply_by IS NULL, reply_by, received, number
-- name: messages
SELECT * FROM messages WHERE ticket = :number ORDER BY sequence
-- name: attachments
SELECT * FROM attachments WHERE ticket = :number ORDER BY "when", id
-- name: identity
SELECT content_hash, result FROM identities WHERE mark = :mark AND expires > :now
-- name: keep_identity
INSERT OR REPLACE INTO identities VALUES (:mark, :content_hash, :result, :expires)
-- name: forget_identities
DELETE FROM identities WHERE expires <= :now
-- name: next_message
SELECT coalesce(max(sequence), 0) + 1 FROM messages WHERE ticket = :ticket
-- name: insert_message
INSERT INTO messages VALUES (:ticket, :sequence, :who, :author, :text, :when)
-- name: set_state
UPDATE tickets SET state = :state WHERE number = :number
-- name: first_answer
UPDATE tickets SET first_answered = :now WHERE number = :number AND first_answered IS NULL
-- name: assign
UPDATE tickets SET assignee = :assignee WHERE number = :number
-- name: insert_attachment
INSERT INTO attachments VALUES (:id, :ticket, :name, :content_type, :size, :sha256, :state, :when)
-- name: complete_attachment
UPDATE attachments SET state = 'stored', size = :size, sha256 = :sha256, "when" = :when
WHERE id = :id AND ticket = :ticket AND state = 'waiting'
-- name: same_attachment
SELECT 1 FROM attachments WHERE ticket = :ticket AND sha256 = :sha256 AND name = :name AND state = 'stored'
-- name: forget_attachment
DELETE FROM attachments WHERE id = :id AND ticket = :ticket AND state = 'waiting'
-- name: count_attachments
SELECT count(*) FROM attachments WHERE ticket = :ticket AND (state = 'stored' OR "when" >= :since)
-- name: agreement
SELECT * FROM agreements WHERE agreement = :number
-- name: agreements
SELECT * FROM agreements ORDER BY agreement
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
-- name: set_key
UPDATE agreements SET key_hash = :key_hash, key_made = :now WHERE agreement = :number
-- name: mails_lately
SELECT count(*) FROM outbox
WHERE folded = :folded AND capped = 1 AND state <> 'suppressed' AND created > :since
-- name: insert_mail
INSERT INTO outbox VALUES (
    :id, :message_id, :template, :recipient, :folded, :ticket, :message, :capped, :created, :state, 0, :created, '')
-- name: due_mails
SELECT * FROM outbox WHERE state IN ('waiting', 'sending') AND next_try <= :now ORDER BY created, id LIMIT :limit
-- name: claim_mail
UPDATE outbox SET state = 'sending', attempts = attempts + 1, next_try = :until WHERE id = :id
-- name: mail_sent
UPDATE outbox SET state = 'sent', trouble = '', next_try = :now WHERE id = :id
-- name: mail_failed
UPDATE outbox SET state = :state, trouble = :trouble, next_try = coalesce(:next_try, next_try) WHERE id = :id
-- name: mails
SELECT * FROM outbox WHERE state IN (SELECT value FROM json_each(:states)) ORDER BY created, id
-- name: retry_mails
UPDATE outbox SET state = 'waiting', next_try = :now, trouble = ''
WHERE (:id = '' AND state IN ('failed', 'waiting')) OR (id = :id AND state IN ('failed', 'waiting', 'suppressed'))
-- name: oldest_unsent
SELECT min(created) FROM outbox WHERE state IN ('waiting', 'sending', 'failed')
