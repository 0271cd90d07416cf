-- name: keep_sign_in
INSERT OR REPLACE INTO sign_ins VALUES
    (:address, :id, :salt, :token_hash, :browsers, :goes_to, :expires, :tries, :used)
-- name: sign_in
SELECT * FROM sign_ins WHERE address = :address
-- name: sign_in_by_token
SELECT * FROM sign_ins WHERE token_hash = :token_hash
-- name: forget_sign_ins
DELETE FROM sign_ins WHERE expires <= :since
-- name: forget_sign_in
DELETE FROM sign_ins WHERE address = :address
-- name: try_code
UPDATE sign_ins SET tries = tries + 1
WHERE address = :address AND id = :id AND used = 0 AND tries < :most
-- name: use_up_sign_in
UPDATE sign_ins SET used = 1 WHERE address = :address AND id = :id AND used = 0
-- name: insert_session
INSERT INTO sessions VALUES (:secret_hash, :id, :address, :browser, :began, :seen)
-- name: session
SELECT * FROM sessions WHERE secret_hash = :secret_hash
-- name: session_used
UPDATE sessions SET seen = :seen WHERE secret_hash = :secret_hash
-- name: sessions_of
SELECT * FROM sessions WHERE address = :address ORDER BY began DESC, id DESC
-- name: sessions
SELECT * FROM sessions WHERE (began, id) < (:began, :id) ORDER BY began DESC, id DESC LIMIT :limit
-- name: end_session
DELETE FROM sessions WHERE address = :address AND id = :id
-- name: end_session_of_cookie
DELETE FROM sessions WHERE secret_hash = :secret_hash
-- name: end_oldest_sessions
DELETE FROM sessions WHERE secret_hash IN (
    SELECT secret_hash FROM sessions WHERE address = :address ORDER BY began DESC, id DESC LIMIT -1 OFFSET :most)
-- name: end_sessions
DELETE FROM sessions WHERE address = :address
-- name: forget_sessions
DELETE FROM sessions WHERE began <= :since
-- name: calendar
SELECT * FROM calendars WHERE address = :address
-- name: calendar_by_token
SELECT * FROM calendars WHERE token_hash = :token_hash
-- name: keep_calendar
INSERT OR REPLACE INTO calendars VALUES (:address, :salt, :token_hash)
-- name: drop_calendar
DELETE FROM calendars WHERE address = :address
