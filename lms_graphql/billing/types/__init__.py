"""GraphQL types of billing."""
