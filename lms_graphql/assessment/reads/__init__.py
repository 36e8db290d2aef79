"""Reads of quizzes and attempts."""
