-- name: insert_ticket
INSERT INTO tickets VALUES (
    :number, :salt, :token_hash, :received, :reply_by, :reply_by_because, :state, :name, :email, :organization,
    :phone, :agreement, :product, :version, :kind, :severity, :subject, :description, :route, :mailbox,
    :route_because, :first_in_queue, :covered, :assignee, :first_answered, :attend_at, :revision, :life)
-- name: update_ticket
UPDATE tickets SET
    reply_by = :reply_by, reply_by_because = :reply_by_because, state = :state, kind = :kind,
    severity = :severity, route = :route, mailbox = :mailbox, route_because = :route_because,
    first_in_queue = :first_in_queue, covered = :covered, assignee = :assignee,
    first_answered = :first_answered, attend_at = :attend_at, revision = :revision, life = :life
WHERE number = :number
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
-- name: insert_message
INSERT INTO messages VALUES (:ticket, :sequence, :who, :author, :text, :when)
-- name: ticket_events
SELECT * FROM ticket_events WHERE ticket = :number ORDER BY sequence
-- name: insert_event
INSERT INTO ticket_events VALUES (:ticket, :sequence, :when, :who, :author, :what, :facts)
-- name: tickets_to_attend
SELECT * FROM tickets WHERE attend_at IS NOT NULL AND attend_at <= :now ORDER BY attend_at, number LIMIT :limit
-- name: touch_ticket
UPDATE tickets SET revision = revision + 1 WHERE number = :number
-- name: insert_draft
INSERT INTO reply_drafts VALUES (:id, :ticket, :defect, :release, :text, :state, :made) ON CONFLICT DO NOTHING
-- name: end_draft
UPDATE reply_drafts SET state = :state WHERE id = :id AND state = 'waiting'
-- name: draft
SELECT * FROM reply_drafts WHERE id = :id
-- name: drafts
SELECT * FROM reply_drafts WHERE state = :state ORDER BY made, id
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
