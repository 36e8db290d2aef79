"""What is read of payments, one file a noun."""
