"""What is read of quizzes, one file a noun."""
