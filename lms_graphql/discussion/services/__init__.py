"""What is done in discussions: each function is one transaction's work."""
