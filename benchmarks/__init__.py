"""Benchmarks of this API, of two peers with the same schema and of a hand-written endpoint. See README.md."""
