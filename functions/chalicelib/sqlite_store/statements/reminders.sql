-- name: reminded
SELECT * FROM reminders WHERE agreement = :number ORDER BY ends, stage DESC
-- name: later_reminder
SELECT 1 FROM reminders WHERE agreement = :agreement AND ends = :ends AND stage <= :stage
-- name: keep_reminder
INSERT INTO reminders (agreement, ends, stage, "when") VALUES (:agreement, :ends, :stage, :when)
