-- name: identity
SELECT content_hash, result FROM identities WHERE mark = :mark AND expires > :now
-- name: keep_identity
INSERT OR REPLACE INTO identities VALUES (:mark, :content_hash, :result, :expires)
-- name: forget_identities
DELETE FROM identities WHERE expires <= :now
