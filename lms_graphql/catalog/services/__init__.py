"""What is done with the catalog: each function is one transaction's work."""
