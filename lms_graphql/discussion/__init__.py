"""Domain package of discussions: notes, questions, answers and votes."""
