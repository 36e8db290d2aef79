"""What people say, and what is done with it: each function is one transaction's work."""
