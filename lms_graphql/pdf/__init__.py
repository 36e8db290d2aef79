"""Texts in PDFs: fonts of all scripts, shaping, lines, and the canvas."""
