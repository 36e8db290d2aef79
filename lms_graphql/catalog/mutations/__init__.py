"""Mutations of the catalog."""
