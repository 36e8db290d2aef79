"""What people say: notes, questions, answers."""
