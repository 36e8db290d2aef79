"""What people say, as it is read."""
