-- name: insert_act
INSERT INTO acts (id, who, what, about, detail, "when") VALUES (:id, :who, :what, :about, :detail, :when)
-- name: acts
SELECT * FROM acts WHERE (:about = '' OR about = :about) AND number < :before ORDER BY number DESC LIMIT :limit
