"""What is done in billing."""
