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
-- name: tickets_of
SELECT * FROM tickets
WHERE lower(email) = :owner AND (received, number) < (:received, :number)
ORDER BY received DESC, number DESC LIMIT :limit
-- name: messages
SELECT * FROM messages WHERE ticket = :number ORDER BY sequence
-- name: attachments
SELECT * FROM attachments WHERE ticket = :number ORDER BY "when", id
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
