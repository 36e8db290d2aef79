"""What people do while they learn, a file for each kind of thing."""
