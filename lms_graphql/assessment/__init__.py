"""Domain package of assessment: quizzes, questions and attempts."""
