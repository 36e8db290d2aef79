"""Reads of notes, questions, answers and votes."""
