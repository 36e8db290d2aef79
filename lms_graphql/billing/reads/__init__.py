"""Reads of transactions."""
