"""What is done with quizzes: each function is one transaction's work."""
