"""GraphQL mutations of notes, questions and answers."""
