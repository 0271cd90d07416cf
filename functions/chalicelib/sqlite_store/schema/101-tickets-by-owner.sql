-- A customer's own tickets, the newest first. SQLite's lower() folds ASCII letters alone, as addresses are folded.
CREATE INDEX tickets_by_owner ON tickets (lower(email), received DESC, number DESC);
