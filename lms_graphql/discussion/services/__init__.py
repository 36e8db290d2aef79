"""Services of discussions: the work of each function is one transaction."""
