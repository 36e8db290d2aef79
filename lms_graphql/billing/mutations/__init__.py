"""Mutations of billing."""
