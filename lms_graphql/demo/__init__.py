"""A catalog that looks real, at any size, the same for the same seed."""
