-- name: subscriber
SELECT * FROM subscribers WHERE folded = :folded
-- name: subscriber_of_token
SELECT folded FROM subscriber_tokens WHERE token = :token
-- name: keep_subscriber
INSERT OR REPLACE INTO subscribers (
    folded, id, email, state, topics, wanted, salt, asked, source, since, changed, leave_hash, confirm_hash)
VALUES (
    :folded, :id, :email, :state, :topics, :wanted, :salt, :asked, :source, :since, :changed, :leave_hash,
    :confirm_hash)
-- name: forget_topics
DELETE FROM subscriber_topics WHERE folded = :folded
-- name: keep_topics
INSERT INTO subscriber_topics (topic, folded) SELECT value, :folded FROM json_each(:topics)
-- name: keep_token
INSERT OR IGNORE INTO subscriber_tokens (token, folded) VALUES (:token, :folded)
-- name: forget_token
DELETE FROM subscriber_tokens WHERE token = :token
-- name: forget_subscriber
DELETE FROM subscribers WHERE folded = :folded
-- name: forget_tokens
UPDATE subscriber_tokens SET folded = '' WHERE folded = :folded
-- name: subscribers
SELECT * FROM subscribers
WHERE state IN (SELECT value FROM json_each(:states)) AND folded > :after
    AND (:topic = '' OR EXISTS (SELECT 1 FROM json_each(subscribers.topics) WHERE value = :topic))
ORDER BY folded LIMIT :limit
-- name: suppression
SELECT * FROM suppressions WHERE folded = :folded
-- name: keep_suppression
INSERT OR REPLACE INTO suppressions (folded, email, reason, detail, since, soft)
VALUES (:folded, :email, :reason, :detail, :since, :soft)
-- name: lift_suppression
DELETE FROM suppressions WHERE folded = :folded
-- name: suppressions
SELECT * FROM suppressions WHERE reason <> '' AND folded > :after ORDER BY folded LIMIT :limit
