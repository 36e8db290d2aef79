"""What is done to the catalog, one file a noun."""
