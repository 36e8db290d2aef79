"""What a client may do with accounts."""
