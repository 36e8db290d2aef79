"""What a client may do with the catalog."""
