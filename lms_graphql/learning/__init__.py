"""Learning: enrollments, progress and completion."""
