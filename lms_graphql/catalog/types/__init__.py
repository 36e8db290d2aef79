"""GraphQL types of the catalog, one module for each noun."""
