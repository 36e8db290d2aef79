"""How far people are: progress and certificates."""
