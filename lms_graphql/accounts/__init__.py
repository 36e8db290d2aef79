"""People: users, their roles and what these allow."""
