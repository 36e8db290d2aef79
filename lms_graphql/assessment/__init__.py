"""What people know: quizzes, questions, attempts."""
