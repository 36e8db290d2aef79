"""Demo data: a realistic catalog of any size with learners. The same seed gives the same data."""
