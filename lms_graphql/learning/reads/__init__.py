"""What is read of learning: rows, not entities."""
