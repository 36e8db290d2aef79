"""Tests of the formats of question files."""
