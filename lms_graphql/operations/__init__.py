"""What whoever operates the service does to its database: migrate, seed, check, verify, repair, reset."""
