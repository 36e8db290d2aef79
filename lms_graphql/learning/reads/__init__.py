"""Reads of learning: they return rows, not entities."""
