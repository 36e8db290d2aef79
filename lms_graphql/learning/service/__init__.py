"""What changes learning: the rules in reading order. Nothing here commits."""
