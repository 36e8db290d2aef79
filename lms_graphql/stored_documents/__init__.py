"""Stored (trusted) documents: GraphQL documents of front ends, which clients request by their ids."""
