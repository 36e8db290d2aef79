"""Reads of the catalog. Each returns only the rows that are visible to the actor, if not stated otherwise."""
