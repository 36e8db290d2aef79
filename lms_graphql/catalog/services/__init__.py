"""Services of the catalog. Each function runs in the transaction of its caller."""
