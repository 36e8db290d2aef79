"""The outbox: mail is written down with what causes it, and sent when that is committed."""
