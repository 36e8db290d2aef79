"""Mutations of accounts."""
