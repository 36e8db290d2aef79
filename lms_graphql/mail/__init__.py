"""Mail: an outbox table, written in the transaction that causes the mail, and delivery after the commit."""
