-- A mail may be about a sign-in or a subscription, not only about a ticket.
ALTER TABLE outbox RENAME COLUMN ticket TO about;
