"""Accounts: users, roles, sessions, passwords and instructor applications."""
