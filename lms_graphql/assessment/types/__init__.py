"""GraphQL types of quizzes, questions and attempts."""
