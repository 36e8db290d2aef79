"""Work of operators on a service and its database: migrate, seed, check, verify, repair, reset, maintain."""
