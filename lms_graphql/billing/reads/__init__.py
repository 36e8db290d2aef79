"""What is read of billing: rows, not entities."""
