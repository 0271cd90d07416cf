-- name: mailing
SELECT * FROM mailings WHERE id = :id
-- name: mailings
SELECT * FROM mailings WHERE :before = '' OR started || ' ' || id < :before ORDER BY started DESC, id DESC LIMIT :limit
-- name: insert_mailing
INSERT INTO mailings (id, topics, subject, digest, started, sender, lease)
VALUES (:id, :topics, :subject, :digest, :started, '', '')
-- name: freeze
INSERT INTO deliveries (mailing, subscriber, email, state, attempts, next_try, trouble, changed)
SELECT :id, id, email, 'pending', 0, :now, '', :now FROM subscribers
WHERE folded IN (SELECT folded FROM subscriber_topics WHERE topic IN (SELECT value FROM json_each(:topics)))
    AND folded NOT IN (SELECT folded FROM suppressions WHERE reason <> '')
ORDER BY id
-- name: count_recipients
SELECT count(*) FROM subscribers
WHERE folded IN (SELECT folded FROM subscriber_topics WHERE topic IN (SELECT value FROM json_each(:topics)))
    AND folded NOT IN (SELECT folded FROM suppressions WHERE reason <> '')
-- name: delivery_counts
SELECT state, count(*) AS number FROM deliveries WHERE mailing = :id GROUP BY state
-- name: hold_mailing
UPDATE mailings SET sender = :sender, lease = :lease WHERE id = :id
-- name: deliveries_become
UPDATE deliveries SET state = :state, trouble = :trouble, changed = :now, next_try = :now
WHERE mailing = :id AND state = :before
-- name: delivery_done
UPDATE deliveries
SET state = :state, trouble = :trouble, changed = :now, attempts = attempts + :attempt,
    next_try = coalesce(:next_try, next_try)
WHERE mailing = :id AND subscriber = :subscriber AND state = 'sending'
-- name: next_delivery
SELECT
    deliveries.*,
    EXISTS (
        SELECT 1 FROM subscribers JOIN subscriber_topics USING (folded)
        WHERE subscribers.id = deliveries.subscriber AND topic IN (SELECT value FROM json_each(:topics))
    ) AS gets,
    EXISTS (
        SELECT 1 FROM subscribers JOIN suppressions USING (folded)
        WHERE subscribers.id = deliveries.subscriber AND suppressions.reason <> ''
    ) AS suppressed
FROM deliveries
WHERE mailing = :id AND state = 'pending' AND subscriber > :after AND next_try <= :now
ORDER BY subscriber LIMIT 1
-- name: delivery_becomes
UPDATE deliveries SET state = :state, changed = :now WHERE mailing = :id AND subscriber = :subscriber
-- name: deliveries
SELECT * FROM deliveries
WHERE mailing = :id AND state IN (SELECT value FROM json_each(:states)) AND subscriber > :after
ORDER BY subscriber LIMIT :limit
-- name: forget_deliveries
UPDATE deliveries SET email = '', state = iif(state = 'pending', 'left', state) WHERE subscriber = :subscriber
-- name: notices
SELECT id FROM notices
-- name: keep_notice
INSERT OR IGNORE INTO notices (id, "when") VALUES (:id, :now)
