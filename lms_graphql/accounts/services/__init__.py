"""What is done with accounts: each function is one transaction's work."""
