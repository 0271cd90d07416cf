-- What was found unwanted when it was to be handed over (attempts) counts: a cap tells nothing of its address.
-- name: mails_lately
SELECT count(*) FROM outbox
WHERE folded = :folded AND capped = 1 AND (state <> 'suppressed' OR attempts > 0) AND created > :since
-- name: insert_mail
INSERT INTO outbox VALUES (
    :id, :message_id, :template, :recipient, :folded, :about, :message, :capped, :created, :state, 0, :created, '')
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
