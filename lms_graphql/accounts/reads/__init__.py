"""Reads of accounts: rows and list queries, limited to what the actor may see."""
