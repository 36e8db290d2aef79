"""Mutations of learning."""
