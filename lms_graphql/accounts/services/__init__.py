"""Services of accounts. Each function runs inside one transaction, except for those of `password_operations`."""
