"""What a client may do with quizzes, and with lectures that carry one."""
