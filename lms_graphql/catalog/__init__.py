"""Catalog domain: categories, courses, sections, lectures, and course search."""
